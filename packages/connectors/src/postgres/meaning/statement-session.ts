import { inTarget } from '../../sql/resources.ts';
import type { Body, Node } from './ast.ts';
import { as, optionText } from './ast.ts';
import type { Env, StatementResult } from './env.ts';
import { MeaningError } from './error.ts';
import { done, type StatementRules } from './rules.ts';
import { judgeSetting, resetSession, resetSettings } from './settings.ts';
import type { SessionEffect } from './statement.ts';
import { setAside } from './sweep.ts';

/** Statements that steer the session or its transaction. */
export const sessionRules: StatementRules = {
  VariableSetStmt: set,
  VariableShowStmt: (body, env) => {
    env.tally.act('sql:session');
    void body;
    return { output: { columns: [] } };
  },
  ConstraintsSetStmt: (body, env) => {
    setAside(body, env);
    env.tally.act('sql:transaction');
    return done;
  },
  DiscardStmt: discard,
  ListenStmt: (body, env) => {
    const channel = body.conditionname ?? '';
    env.tally.act('sql:listen', inTarget('Channel', env.ctx.target, channel));
    env.tally.effect({ kind: 'listen', channel });
    return done;
  },
  UnlistenStmt: (body, env) => {
    env.tally.act('sql:session');
    env.tally.effect({ kind: 'unlisten', channel: body.conditionname ?? 'all' });
    return done;
  },
  NotifyStmt: (body, env) => {
    env.tally.act('sql:notify', inTarget('Channel', env.ctx.target, body.conditionname ?? '*'));
    return done;
  },
  TransactionStmt: transaction,
};

function set(body: Body<'VariableSetStmt'>, env: Env): StatementResult {
  const name = body.name ?? '';
  switch (body.kind) {
    case 'VAR_SET_VALUE':
    case 'VAR_SET_CURRENT':
      judgeSetting({ name, value: settingValue(body), isReset: false }, env);
      return { kind: 'set' };
    case 'VAR_SET_DEFAULT':
    case 'VAR_RESET':
      judgeSetting({ name, value: undefined, isReset: true }, env);
      return { kind: body.kind === 'VAR_RESET' ? 'reset' : 'set' };
    case 'VAR_RESET_ALL':
      resetSettings(env);
      return { kind: 'reset' };
    case 'VAR_SET_MULTI':
      return setMany(name, body, env);
    default:
      throw new MeaningError('unsupported', 'the gateway does not understand this form of SET');
  }
}

/** Several values (SET search_path = a, b) are one text; what is no constant stays unknown. */
function settingValue(body: Body<'VariableSetStmt'>): string | undefined {
  const texts = (body.args ?? []).map(settingText);
  return texts.some((text) => text === undefined) || texts.length === 0 ? undefined : texts.join(', ');
}

function settingText(node: Node): string | undefined {
  const cast = as(node, 'TypeCast');
  return cast === undefined ? optionText(node) : optionText(cast.arg);
}

function setMany(name: string, body: Body<'VariableSetStmt'>, env: Env): StatementResult {
  if (name === 'TRANSACTION' || name === 'SESSION CHARACTERISTICS') {
    env.tally.act('sql:transaction');
    return { kind: 'set_transaction' };
  }
  // SET TRANSACTION SNAPSHOT reads the database as another session sees it.
  if (name === 'TRANSACTION SNAPSHOT') {
    env.tally.act('sql:transaction');
    return { kind: 'set_transaction' };
  }
  void body;
  throw new MeaningError('unsupported', `the gateway does not understand SET ${name}`);
}

function discard(body: Body<'DiscardStmt'>, env: Env): StatementResult {
  switch (body.target) {
    case 'DISCARD_ALL':
      resetSession(env);
      env.tally.effect({ kind: 'discard', what: 'all' });
      return done;
    case 'DISCARD_TEMP':
      env.tally.act('sql:session');
      env.tally.effect({ kind: 'discard', what: 'temp' });
      env.tally.effect({ kind: 'ddl' });
      return done;
    case 'DISCARD_SEQUENCES':
      env.tally.act('sql:session');
      env.tally.effect({ kind: 'discard', what: 'sequences' });
      return done;
    case 'DISCARD_PLANS':
      env.tally.act('sql:session');
      env.tally.effect({ kind: 'discard', what: 'plans' });
      return done;
    default:
      throw new MeaningError('unsupported', 'the gateway does not understand this form of DISCARD');
  }
}

function transaction(body: Body<'TransactionStmt'>, env: Env): StatementResult {
  env.tally.act('sql:transaction');
  const { kind, effect } = transactionEffect(body);
  env.tally.effect(effect);
  // What it holds outlives the session; and under the name given may be somebody else's work.
  if (kind === 'prepare_transaction') env.tally.act('sql:lock');
  if (kind === 'commit_prepared' || kind === 'rollback_prepared') env.tally.act('sql:maintain');
  return { kind };
}

function transactionEffect(body: Body<'TransactionStmt'>): { kind: string; effect: SessionEffect } {
  const chain = body.chain === true;
  const name = body.savepoint_name ?? '';
  switch (body.kind) {
    case 'TRANS_STMT_BEGIN':
    case 'TRANS_STMT_START':
      return { kind: 'begin', effect: { kind: 'begin', chain: false } };
    case 'TRANS_STMT_COMMIT':
      return { kind: 'commit', effect: { kind: 'commit', chain } };
    case 'TRANS_STMT_ROLLBACK':
      return { kind: 'rollback', effect: { kind: 'rollback', chain } };
    case 'TRANS_STMT_SAVEPOINT':
      return { kind: 'savepoint', effect: { kind: 'savepoint', name } };
    case 'TRANS_STMT_RELEASE':
      return { kind: 'release', effect: { kind: 'release', name } };
    case 'TRANS_STMT_ROLLBACK_TO':
      return { kind: 'rollback_to', effect: { kind: 'rollback_to', name } };
    case 'TRANS_STMT_PREPARE':
      return { kind: 'prepare_transaction', effect: { kind: 'prepare_transaction' } };
    case 'TRANS_STMT_COMMIT_PREPARED':
      return { kind: 'commit_prepared', effect: { kind: 'commit_prepared' } };
    case 'TRANS_STMT_ROLLBACK_PREPARED':
      return { kind: 'rollback_prepared', effect: { kind: 'rollback_prepared' } };
    default:
      throw new MeaningError('unsupported', 'the gateway does not understand this transaction statement');
  }
}
