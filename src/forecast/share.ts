import { createHash } from 'node:crypto';

/** One of `count` shares of the patients, numbered from 1. A full forecast is share 1 of 1. */
export type Share = { index: number; count: number };

export type Mine = (patient: string) => boolean;

export const EVERYBODY: Share = { index: 1, count: 1 };

/** Whether a patient is in the share. Decided by a hash of the id, so that neither files nor their order matter. */
export function mineOf({ index, count }: Share): Mine {
  return count === 1 ? () => true : (patient) => digestOf(patient).readUInt32BE(4) % count === index - 1;
}

/** The part of a share's copy, out of so many, that a patient goes into. */
export function partOf(patient: string, parts: number): number {
  return digestOf(patient).readUInt32BE(0) % parts;
}

function digestOf(patient: string): Buffer {
  return createHash('sha256').update(patient).digest();
}
