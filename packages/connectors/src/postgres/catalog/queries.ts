/**
 * What is asked of the server to learn its names. Every name is written with its schema, because the connection that
 * runs these belongs to a role whose search_path is not ours to trust (pg_catalog itself always comes first, implicitly).
 */

/** One pair, so that a definition read later mentions every name outside pg_catalog with its schema. */
export const preamble = "SELECT pg_catalog.set_config('search_path', 'pg_catalog', false)";

export const version =
  "SELECT pg_catalog.current_setting('server_version_num'), pg_catalog.current_setting('server_encoding')";

export const schemas = 'SELECT oid, nspname, nspacl FROM pg_catalog.pg_namespace ORDER BY oid';

/** pg_class.oid from 16384 on are made after initdb (FirstNormalObjectId, access/transam.h). */
export const relations = `
SELECT c.oid, c.relnamespace, c.relname, c.relkind, c.relpersistence,
       (c.oid < 16384)::text,
       coalesce(('security_invoker=true' = ANY (c.reloptions) OR 'security_invoker=on' = ANY (c.reloptions)
                 OR 'security_invoker=1' = ANY (c.reloptions) OR 'security_invoker=yes' = ANY (c.reloptions)), false)::text,
       EXISTS (SELECT 1 FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type <> '1' AND r.oid >= 16384)::text
FROM pg_catalog.pg_class c WHERE c.relkind IN ('r','p','v','m','f','S','c','i','I','t')`;

/** Indexes and composite types of indexes have columns nobody can select, so they are left out. */
export const columns = `
SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attgenerated
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r','p','v','m','f','S','c','t')
ORDER BY a.attrelid, a.attnum`;

export const generated = `
SELECT d.adrelid, d.adnum, pg_catalog.pg_get_expr(d.adbin, d.adrelid)
FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
WHERE a.attgenerated <> ''`;

export const inheritance = 'SELECT inhrelid, inhparent FROM pg_catalog.pg_inherits ORDER BY inhrelid, inhseqno';

/** The system's own views are judged by a list, not by their text. */
export const definitions = `
SELECT c.oid, pg_catalog.pg_get_viewdef(c.oid) FROM pg_catalog.pg_class c
WHERE c.relkind IN ('v','m') AND c.oid >= 16384`;

export const functions = `
SELECT p.oid, p.pronamespace, p.proname, p.prokind, p.provolatile, l.lanname, p.prosecdef::text, p.proretset::text,
       p.prorettype, p.proargtypes::text, p.pronargdefaults, (p.provariadic <> 0)::text,
       p.proargmodes::text, p.proargnames::text, (p.oid < 16384)::text, p.proallargtypes::text,
       (SELECT e.extname FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
        WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e'
          AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass LIMIT 1)
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang`;

export const types = `
SELECT t.oid, t.typnamespace, t.typname, t.typtype, t.typbasetype, t.typelem, t.typrelid, (t.oid < 16384)::text
FROM pg_catalog.pg_type t`;

/** Through functions and through operators; the server's own are pinned and have no dependencies recorded. */
export const domainChecks = `
SELECT c.contypid, p.oid FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.objid = c.oid
LEFT JOIN pg_catalog.pg_operator o ON d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND o.oid = d.refobjid
JOIN pg_catalog.pg_proc p ON p.oid = CASE WHEN d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                                          THEN d.refobjid ELSE o.oprcode::pg_catalog.oid END
WHERE c.contypid <> 0`;

export const operators = `
SELECT o.oprnamespace, o.oprname, o.oprleft, o.oprright, o.oprcode::pg_catalog.oid, (o.oid < 16384)::text
FROM pg_catalog.pg_operator o WHERE o.oid >= 16384`;

export const casts = `
SELECT c.castsource, c.casttarget, c.castfunc, (c.castcontext = 'i')::text, (c.oid < 16384)::text
FROM pg_catalog.pg_cast c`;
