import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Deployment } from 'kubernetes-models/apps/v1';
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, Secret, Service } from 'kubernetes-models/v1';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readConfig } from './config.ts';
import { siteSchema } from './rules/schema.ts';
import { root } from './testing/app.ts';
import { readClients } from './trust/clients.ts';

/* What hospital IT is given to deploy, held against the schemas of what reads it and against the service itself. */

const read = (file: string) => readFileSync(join(root, file), 'utf8');
const folder = join(root, 'deploy/kubernetes');
type Manifest = { apiVersion: string; kind: string; metadata: { name: string } } & Record<string, never>;
const manifests = readdirSync(folder)
  .sort()
  .flatMap((file) => parseAllDocuments(readFileSync(join(folder, file), 'utf8')))
  .map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Manifest;
  });
// biome-ignore lint/suspicious/noExplicitAny: YAML of many shapes, which the schemas above hold.
const one = (kind: string, name: string): any =>
  manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);

describe('deploy/kubernetes', () => {
  const models: Record<string, new (data: never) => { validate(): void }> = {
    Deployment,
    Service,
    Ingress,
    PodDisruptionBudget,
    ConfigMap,
    Secret,
  };

  test.each(manifests.map((manifest) => [manifest.kind, manifest.metadata.name, manifest] as const))(
    '%s %s is as the schema of Kubernetes has it',
    (kind, _name, manifest) => {
      const Model = models[kind];
      expect(Model).toBeDefined();
      if (Model) expect(() => new Model(manifest as never).validate()).not.toThrow();
    },
  );

  test('the schemas find what is wrong', () => {
    const deployment = one('Deployment', 'cds');
    const wrong = structuredClone(deployment);
    wrong.spec.template.spec.containers[0].ports[0].containerPort = 'http';
    expect(() => new Deployment(wrong).validate()).toThrow(/containerPort/);
  });

  // The schemas let unknown keys pass, as the API server does; a misspelt probe would be no probe.
  test('every key is a field of Kubernetes', () => {
    const types = ['kubernetes-models', '@kubernetes-models/apimachinery'].flatMap((name) => {
      const folder = join(root, 'node_modules', name);
      return readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.d.ts'))
        .map((file) => readFileSync(join(folder, file), 'utf8'));
    });
    const fields = new Set(
      types.flatMap((text) => [...text.matchAll(/^ +"?(\w+)"?\??: /gm)].map(([, field]) => field)),
    );
    const free = ['labels', 'matchLabels', 'annotations', 'data', 'stringData', 'drop', 'requests', 'limits'];
    const keysOf = (value: unknown): string[] =>
      typeof value !== 'object' || value === null
        ? []
        : Object.entries(value).flatMap(([key, child]) => [
            ...(Array.isArray(value) ? [] : [key]),
            ...(free.includes(key) ? [] : keysOf(child)),
          ]);
    expect(fields).toContain('readinessProbe');
    expect(fields).not.toContain('readynessProbe');
    // The label by which the Service finds its pods is ours.
    expect(manifests.flatMap(keysOf).filter((key) => !fields.has(key))).toEqual(['app']);
  });

  test('its environment is one that the service starts with, and its files are read', () => {
    const environment = {
      ...one('ConfigMap', 'cds').data,
      ...one('Secret', 'cds').stringData,
      CLIENTS: '/config/clients.yaml',
      MODE: 'production',
    };
    // What nobody has replaced is no key.
    expect(() => readConfig(environment)).toThrow(/PATIENT_KEY: must be 32 random bytes/);
    const key = () => randomBytes(32).toString('hex');
    expect(readConfig({ ...environment, PATIENT_KEY: key(), AUDIT_KEY: key() })).toMatchObject({
      mode: 'production',
      drainSeconds: 10,
      journal: { url: expect.any(String) },
    });
    const files = one('ConfigMap', 'cds-files').data;
    expect(siteSchema.safeParse(parse(files['site.yaml'])).success).toBe(true);
    const place = mkdtempSync(join(tmpdir(), 'cds-deploy-'));
    writeFileSync(join(place, 'clients.yaml'), files['clients.yaml']);
    const problems: never[] = [];
    expect(readClients(join(place, 'clients.yaml'), problems, [])).toHaveLength(1);
    expect(problems).toEqual([]);
    rmSync(place, { recursive: true });
  });

  test('what refers to something refers to what is there', () => {
    const { template } = one('Deployment', 'cds').spec;
    const [container] = template.spec.containers;
    for (const { configMapRef, secretRef } of container.envFrom)
      expect(configMapRef ? one('ConfigMap', configMapRef.name) : one('Secret', secretRef.name)).toBeDefined();
    expect(one('ConfigMap', template.spec.volumes[0].configMap.name)).toBeDefined();
    for (const kind of ['Deployment', 'PodDisruptionBudget'])
      expect(one(kind, 'cds').spec.selector.matchLabels).toEqual(template.metadata.labels);
    expect(one('Service', 'cds').spec.selector).toEqual(template.metadata.labels);
    const [rule] = one('Ingress', 'cds').spec.rules;
    expect(rule.http.paths[0]).toMatchObject({ path: '/cds-services', backend: { service: { name: 'cds' } } });
  });
});

describe('docker-compose.yml', () => {
  const compose = parse(read('docker-compose.yml'), { merge: true });

  test('every variable that it sets is one that the service knows', () => {
    const known = read('src/config.ts');
    for (const [name, service] of Object.entries(
      compose.services as Record<string, { build?: string; environment: object }>,
    )) {
      if (!service.build) continue;
      for (const variable of Object.keys(service.environment))
        expect(known, `${name}: ${variable}`).toContain(`${variable}:`);
    }
  });

  test('the replicas publish no port, and share a database; the proxy that stands before them is configured', () => {
    const replica = compose.services['cds-replica'];
    expect(replica.ports).toBeUndefined();
    expect(replica.environment.DATABASE_URL).toContain('@postgres:5432/');
    expect(compose.services.proxy.volumes).toContain('./deploy/nginx.conf:/etc/nginx/nginx.conf:ro');
    expect(read('deploy/nginx.conf')).toContain('server cds-replica:3000');
  });

  const nginx = '/usr/sbin/nginx';
  test.skipIf(!existsSync(nginx))('nginx takes its configuration', () => {
    const place = mkdtempSync(join(tmpdir(), 'cds-nginx-'));
    // Names of other containers are known in the network of compose only.
    writeFileSync(join(place, 'nginx.conf'), read('deploy/nginx.conf').replace('cds-replica:3000', '127.0.0.1:3000'));
    const { status, stderr } = spawnSync(nginx, ['-t', '-c', join(place, 'nginx.conf')], {
      encoding: 'utf8',
    });
    rmSync(place, { recursive: true });
    expect([status, stderr]).toEqual([0, expect.stringContaining('test is successful')]);
  });
});
