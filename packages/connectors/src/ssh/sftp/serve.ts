import type { LabelMap } from '@sluice/core/contract/labels.ts';
import { SluiceError } from '@sluice/core/domain/error.ts';
import type { RunContext } from '@sluice/core/domain/run.ts';
import type { ServerChannel } from 'ssh2';
import { ClientSink } from '../session/client-sink.ts';
import type { Conversation } from '../session/conversation.ts';
import { lines, shown, status, type Told, toldDenial, toldHold } from '../session/words.ts';
import { SftpError } from './protocol.ts';
import { SftpServer } from './server.ts';
import type { TargetStream } from './target.ts';

/** Most lines of refusals on the standard error of one channel; each is in the answer to its request as well. */
const mostWords = 200;

/** Serves file transfer on a channel of a client until either side ends it. */
export function serveSftp(
  conversation: Conversation,
  stream: ServerChannel,
  closed: Promise<void>,
  labels: LabelMap,
  run?: RunContext,
): void {
  const { session, target } = conversation;
  const { pace, ports, upstream } = conversation.parts;
  const sink = new ClientSink(stream, pace);
  let words = 0;
  const say = (text: string): void => {
    if (++words <= mostWords) sink.write(shown(text, false), true);
  };
  const server = new SftpServer({
    session,
    clock: ports.clock,
    ground: {
      target,
      run,
      labelsOf: (path) =>
        labels.of(
          target,
          path.split('/').filter((part) => part !== ''),
        ),
    },
    openTarget: () =>
      new Promise<TargetStream>((resolve, reject) => {
        upstream.subsys('sftp', (error, channel) => {
          if (error) {
            const message = 'The target did not start file transfer. Its operator must switch on the subsystem sftp.';
            reject(new SftpError('gone', 'upstream', message, { cause: error }));
          } else {
            channel.on('error', () => channel.close());
            channel.stderr.resume();
            resolve(channel);
          }
        });
      }),
    write: (bytes) => sink.write(bytes, false),
    denied: (denial) => say(toldDenial(denial).text),
    held: (notice) => say(toldHold(notice)),
    said: (text) => say(lines(text)),
    flow: (on) => {
      if (on) stream.resume();
      else stream.pause();
    },
    over: (error) => {
      conversation.remove(running);
      if (error && !conversation.over) {
        ports.log.info({ session: session.info.id, err: error }, 'file transfer ended');
        if (!(error instanceof SluiceError) || error.source === 'gateway') {
          conversation.fail(error);
          return;
        }
        say(lines(error.publicMessage));
      }
      sink.finish((ended) => ended.exit(error ? status.failed : 0));
    },
  });
  const running = {
    stop: () => server.stop(),
    tell: (told: Told) => {
      say(told.text);
      server.stop();
    },
  };
  conversation.add(running);
  sink.onRoom(() => server.resume());
  stream.on(
    'data',
    conversation.guard((bytes: Buffer) => server.push(bytes)),
  );
  stream.on(
    'end',
    conversation.guard(() => server.end()),
  );
  void closed.then(() => server.stop());
}
