// Whom the corpus of SQL evasions tries to get past: one who may only read two schemas and the server's own names, and one
// who may write rows as well but change no definition and not every row at once.

export const readOnly = `
@id("connect") permit (principal, action in Action::"connect", resource);
@id("read-public") permit (principal, action in Action::"read", resource in Schema::"shop/public");
@id("read-monitoring") permit (principal, action in Action::"read", resource in Schema::"shop/monitoring");
@id("read-names") permit (principal, action in Action::"read", resource in Schema::"shop/pg_catalog");
@id("read-standard") permit (principal, action in Action::"read", resource in Schema::"shop/information_schema");
@id("operate") permit (principal in Group::"operators", action, resource);
`;

export const writer = `
@id("connect") permit (principal, action in Action::"connect", resource);
@id("read") permit (principal, action in Action::"read", resource);
@id("write") permit (principal, action in Action::"write", resource);
@id("operate") permit (principal in Group::"operators", action, resource);
@id("no-unbounded") forbid (principal, action in [Action::"sql:delete", Action::"sql:update"], resource)
when { !context.has_where };
`;
