import { relative } from 'node:path';
import type { Fault } from '@sluice/core/recording/fault.ts';
import type { Paints } from '../terminal/output.ts';
import { visible } from '../terminal/visible.ts';
import type { FileReport, VerifyReport } from './verify-report.ts';

const shownFaults = 20;

/** The report for people: what is wrong first, then what is right in one line. */
export function verifyLines(report: VerifyReport, paint: Paints): string[] {
  const lines: string[] = [];
  for (const file of report.files) {
    if (file.standing === 'faulty') lines.push(...faultLines(file, report, paint));
  }
  for (const fault of report.journal) {
    const session = fault.session === '' ? '' : `${visible(fault.session)}: `;
    lines.push(`${paint.red('FAULT')} ${session}${visible(fault.message)} [${fault.code}]`);
  }
  const [only] = report.files;
  if (report.files.length === 1 && only && only.standing !== 'faulty') lines.push(...fileLines(only, paint));
  lines.push(verdict(report, paint), paint.dim(`keys: ${visible(report.keys)}`));
  return lines;
}

function faultLines(file: FileReport, report: VerifyReport, paint: Paints): string[] {
  const name = visible(relative(report.path, file.path) || file.path);
  const lines = [`${paint.red('FAULTY')} ${name}`];
  for (const fault of file.faults.slice(0, shownFaults))
    lines.push(`  ${place(fault)}: ${visible(fault.message)} [${fault.code}]`);
  const more = file.faults.length - Math.min(file.faults.length, shownFaults) + file.moreFaults;
  if (more > 0) lines.push(`  … and ${more} more`);
  return lines;
}

function place(fault: Fault): string {
  return fault.event === undefined ? `byte ${fault.offset}` : `event ${fault.event} at byte ${fault.offset}`;
}

function fileLines(file: FileReport, paint: Paints): string[] {
  const who = `${visible(file.principal ?? '')} on ${visible(file.target ?? '')}`;
  const ended = file.endReason === undefined ? '' : `, ended: ${visible(file.endReason)}`;
  const { unfinished } = file;
  const cut = unfinished === 0 ? '' : `, output of ${unfinished} ${unfinished === 1 ? 'unit' : 'units'} unfinished`;
  return [
    `${paint.bold(visible(file.session ?? file.path))}  ${who}`,
    `${visible(file.startedAt ?? '')}, ${file.events} events${ended}${cut}${file.standing === 'recovered' ? ' (recovered)' : ''}`,
    paint.dim(`head ${file.head}, sealed by ${visible(file.keyId ?? 'nobody yet')}`),
  ];
}

function verdict(report: VerifyReport, paint: Paints): string {
  const { sealed, recovered, open, faulty } = report.counts;
  const parts = [`${sealed} sealed`];
  if (recovered > 0) parts.push(`${recovered} recovered after a crash`);
  if (open > 0) parts.push(`${open} still open`);
  if (faulty > 0) parts.push(`${faulty} faulty`);
  if (report.compared) {
    const faults = report.journal.length;
    parts.push(
      faults === 0 ? 'the journal agrees' : `the journal disagrees in ${faults} ${faults === 1 ? 'place' : 'places'}`,
    );
  }
  const word = report.ok ? paint.green('VERIFIED') : paint.red('NOT VERIFIED');
  return `${word} ${report.files.length === 1 ? '1 recording' : `${report.files.length} recordings`}: ${parts.join(', ')}`;
}
