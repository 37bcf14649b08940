import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { mayConnect } from './address.ts';

export const REFUSED = 'ERR_ADDRESS_REFUSED';

type Found = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;

/**
 * Resolves host names for one client. A look-up occupies one of the process's few resolver threads for as long as the
 * name server takes. So each client has one look-up at a time, and callers with the same name share its result: slow
 * names of one client delay no other client.
 */
export function createNames(): (hostname: string, found: Found) => void {
  const waiting = new Map<string, Found[]>();
  let busy = false;
  const next = () => {
    const [hostname] = waiting.keys();
    if (busy || hostname === undefined) return;
    busy = true;
    lookup(hostname, { all: true }, (error, addresses) => {
      busy = false;
      const asked = waiting.get(hostname) ?? [];
      waiting.delete(hostname);
      next();
      for (const found of asked) found(error, addresses);
    });
  };
  return (hostname, found) => {
    waiting.set(hostname, [...(waiting.get(hostname) ?? []), found]);
    next();
  };
}

/** Checks the address at the moment of connecting, so that a name cannot resolve differently in between. */
export function checkedLookup(names: ReturnType<typeof createNames>, privateNetwork: boolean): LookupFunction {
  return (hostname, options, callback) => {
    names(hostname, (error, addresses) => {
      if (error) return callback(error, '', 0);
      const [first] = addresses;
      if (!first || addresses.some(({ address }) => !mayConnect(address, privateNetwork)))
        return callback(Object.assign(new Error('address refused'), { code: REFUSED }), '', 0);
      return options.all ? callback(null, addresses) : callback(null, first.address, first.family);
    });
  };
}
