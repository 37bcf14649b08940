/** Names by which this service is known on the wire. They never change once clients have seen them. */
export const brand = {
  /** Reverse-domain key of our extensions (CDS Hooks: Extensions). */
  extension: 'org.nordic-opioid-cds',
  /** The same of an OperationOutcome, which is FHIR and names its extensions by URL. */
  traceExtension: 'urn:nordic-opioid-cds:trace',
  /** Code system of `source.topic`: the code is the rule's id. */
  topicSystem: 'urn:nordic-opioid-cds:rule',
} as const;

/** The id of the one service that answers a hook. */
export function serviceId(hook: string): string {
  return `nordic-opioid-${hook}`;
}
