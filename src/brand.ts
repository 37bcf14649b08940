/** Names by which this service is known on the wire. They never change once clients have seen them. */
export const brand = {
  /** Reverse-domain key of our extensions (CDS Hooks: Extensions). */
  extension: 'org.nordic-opioid-cds',
  /** The same of an OperationOutcome, which is FHIR and names its extensions by URL. */
  traceExtension: 'urn:nordic-opioid-cds:trace',
  /** Code system of `source.topic`: the code is the rule's id. */
  topicSystem: 'urn:nordic-opioid-cds:rule',
  /** Code system of our own reasons to go on all the same. */
  reasonSystem: 'urn:nordic-opioid-cds:override-reason',
  /** Code system of the orders that cards offer. */
  orderSystem: 'urn:nordic-opioid-cds:order',
  /** Identifier system of code lists: what `memberOf` names. */
  listSystem: 'urn:nordic-opioid-cds:list',
  /** Identifier system of the whole of hooks/ and cards/: the value is its fingerprint. */
  knowledgeSystem: 'urn:nordic-opioid-cds:knowledge',
  /** What canonical addresses of an export begin with, where nobody gives another. */
  canonicalBase: 'urn:nordic-opioid-cds',
  publisher: 'Nordic Opioid CDS',
} as const;

/** The id of the one service that answers a hook. */
export function serviceId(hook: string): string {
  return `nordic-opioid-${hook}`;
}
