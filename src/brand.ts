/** Names of this service on the wire. They must not change once clients have seen them. */
export const brand = {
  /** Reverse-domain key of our extensions (CDS Hooks: Extensions). */
  extension: 'org.nordic-opioid-cds',
  /** The same for an OperationOutcome, where FHIR identifies extensions by URL. */
  traceExtension: 'urn:nordic-opioid-cds:trace',
  /** Code system of `source.topic`: the code is the rule's id. */
  topicSystem: 'urn:nordic-opioid-cds:rule',
  /** Code system of our own override reasons. */
  reasonSystem: 'urn:nordic-opioid-cds:override-reason',
  /** Code system of the orders that cards offer. */
  orderSystem: 'urn:nordic-opioid-cds:order',
  /** Identifier system of code lists, by the name used in `memberOf`. */
  listSystem: 'urn:nordic-opioid-cds:list',
  /** Identifier system of hooks/ and cards/ as a whole; the value is their fingerprint. */
  knowledgeSystem: 'urn:nordic-opioid-cds:knowledge',
  /** Default prefix of canonical addresses in an export. */
  canonicalBase: 'urn:nordic-opioid-cds',
  publisher: 'Nordic Opioid CDS',
} as const;

/** The id of the service for a hook. */
export function serviceId(hook: string): string {
  return `nordic-opioid-${hook}`;
}
