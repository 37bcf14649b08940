import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Deployment } from 'kubernetes-models/apps/v1';
import { Job } from 'kubernetes-models/batch/v1';
import { Ingress, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, PersistentVolumeClaim, Service } from 'kubernetes-models/v1';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readConfig } from './config.ts';
import { siteSchema } from './rules/schema.ts';
import { root } from './testing/app.ts';
import { readClients } from './trust/clients.ts';

/* What hospital IT is given to deploy, checked against the schemas of the tools that read it and against the service. */

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
// biome-ignore lint/suspicious/noExplicitAny: YAML of many shapes, which the schemas above check.
const one = (kind: string, name: string): any =>
  manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);

describe('deploy/kubernetes', () => {
  const models: Record<string, new (data: never) => { validate(): void }> = {
    Deployment,
    Service,
    Ingress,
    PodDisruptionBudget,
    ConfigMap,
    NetworkPolicy,
    Job,
    PersistentVolumeClaim,
  };

  test.each(manifests.map((manifest) => [manifest.kind, manifest.metadata.name, manifest] as const))(
    '%s %s is valid by the Kubernetes schema',
    (kind, _name, manifest) => {
      const Model = models[kind];
      expect(Model).toBeDefined();
      if (Model) expect(() => new Model(manifest as never).validate()).not.toThrow();
    },
  );

  test('the schemas reject invalid manifests', () => {
    const deployment = one('Deployment', 'cds');
    const wrong = structuredClone(deployment);
    wrong.spec.template.spec.containers[0].ports[0].containerPort = 'http';
    expect(() => new Deployment(wrong).validate()).toThrow(/containerPort/);
  });

  // The schemas let unknown keys pass, as the API server does; a misspelt probe would then be no probe at all.
  test('every key is a known Kubernetes field', () => {
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
    // The label by which the Service finds its pods is our own.
    expect(manifests.flatMap(keysOf).filter((key) => !fields.has(key))).toEqual(['app']);
  });

  test('the service starts with its environment and reads its files', () => {
    const environment = {
      ...one('ConfigMap', 'cds').data,
      // A command creates the Secret, with keys of its own.
      DATABASE_URL: 'postgres://cds:secret@postgres.example:5432/cds?sslmode=verify-full',
      PATIENT_KEY: randomBytes(32).toString('hex'),
      AUDIT_KEY: randomBytes(32).toString('hex'),
      CLIENTS: '/config/clients.yaml',
      MODE: 'production',
    };
    expect(readConfig(environment)).toMatchObject({
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

  test('every reference points to an object that exists', () => {
    const { template } = one('Deployment', 'cds').spec;
    const [container] = template.spec.containers;
    const [{ configMapRef }, { secretRef }] = container.envFrom;
    expect(one('ConfigMap', configMapRef.name)).toBeDefined();
    expect(read('deploy/kubernetes/config.yaml')).toContain(`kubectl create secret generic ${secretRef.name} `);
    expect(one('ConfigMap', template.spec.volumes[0].configMap.name)).toBeDefined();
    for (const kind of ['Deployment', 'PodDisruptionBudget'])
      expect(one(kind, 'cds').spec.selector.matchLabels).toEqual(template.metadata.labels);
    expect(one('Service', 'cds').spec.selector).toEqual(template.metadata.labels);
    expect(one('NetworkPolicy', 'cds').spec.podSelector.matchLabels).toEqual(template.metadata.labels);
    const [rule] = one('Ingress', 'cds').spec.rules;
    expect(rule.http.paths[0]).toMatchObject({ path: '/cds-services', backend: { service: { name: 'cds' } } });
  });
});

describe('the pods of deploy/kubernetes', () => {
  const pods = manifests
    .filter(({ kind }) => kind === 'Deployment' || kind === 'Job')
    .map(({ kind, metadata: { name } }) => [kind, name, one(kind, name).spec.template] as const);

  test.each(pods)(
    '%s %s fits the Pod Security Standard "restricted" and has resource limits',
    (_kind, _name, { spec }) => {
      expect(spec).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      });
      const amount = expect.stringMatching(/^\d+(Mi|Gi|m)?$/);
      for (const container of spec.containers)
        expect(container).toMatchObject({
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          resources: { requests: { cpu: amount, memory: amount }, limits: { memory: amount } },
        });
    },
  );

  test.each(pods)('%s %s has a NetworkPolicy for both directions', (_kind, _name, { metadata }) => {
    const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy').map(({ metadata: of }) => of.name);
    const own = policies
      .map((name) => one('NetworkPolicy', name).spec)
      .filter(({ podSelector }) => podSelector.matchLabels.app === metadata.labels.app);
    expect(own.map(({ policyTypes }) => policyTypes)).toEqual([['Ingress', 'Egress']]);
  });

  test('the forecast runs one pod per shard, and never two for the same shard', () => {
    const { completions, completionMode, podReplacementPolicy, template } = one('Job', 'forecast').spec;
    const [{ env }] = template.spec.containers;
    expect(env).toContainEqual({ name: 'SHARDS', value: String(completions) });
    expect([completionMode, podReplacementPolicy]).toEqual(['Indexed', 'Failed']);
  });

  test('no file holds a password or a key', () => {
    expect(manifests.map(({ kind }) => kind)).not.toContain('Secret');
    for (const file of ['docker-compose.yml', 'deploy/kubernetes/config.yaml'])
      expect(read(file)).not.toMatch(/(PASSWORD|_KEY):-[^}]|change-me/);
  });
});

describe('the image', () => {
  test('its packages leave out only what the sandbox page needs', () => {
    const { dependencies, optionalDependencies } = JSON.parse(read('package.json'));
    const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter(
      (name) => /(?<!\.test)\.tsx?$/.test(name) && !name.startsWith('testing'),
    );
    const page = (name: string) => name.startsWith(join('workbench', 'page')) || name === join('workbench', 'files.ts');
    const imported = (names: string[]) =>
      new Set(
        names.flatMap((name) =>
          [
            ...read(join('src', name))
              .replace(/^import type .*$/gm, '')
              .matchAll(/(?:from|import\(|\.resolve\() ?'((?:@[^/']+\/)?[^./'@:][^/':]*)['/]/g),
          ].map(([, of]) => of),
        ),
      );
    const [service, alone] = [imported(sources.filter((name) => !page(name))), imported(sources.filter(page))];
    const optional = Object.keys(optionalDependencies).filter((name) => !/^node-/.test(name));
    expect(optional).toEqual([...alone].filter((name) => !service.has(name)).sort());
    expect([...service].filter((name) => !((name as string) in dependencies))).toEqual([]);
    expect(read('Dockerfile')).toContain('--omit=dev --omit=optional');
    expect(read('.dockerignore')).toContain('src/workbench/page');
  });
});

describe('npm', () => {
  test('start installs nothing in production: it says what is missing and exits', () => {
    const place = mkdtempSync(join(tmpdir(), 'cds-start-'));
    mkdirSync(join(place, 'scripts'));
    for (const file of ['package.json', 'package-lock.json', 'scripts/run.mjs'])
      copyFileSync(join(root, file), join(place, file));
    const { status, stderr } = spawnSync(process.execPath, ['scripts/run.mjs', 'src/server.ts'], {
      cwd: place,
      encoding: 'utf8',
      env: { ...process.env, MODE: 'production' },
    });
    const left = readdirSync(place).sort();
    rmSync(place, { recursive: true });
    expect([status, left]).toEqual([1, ['package-lock.json', 'package.json', 'scripts']]);
    expect(stderr).toContain('npm ci --omit=dev');
  });

  test('run sbom lists every package of the image with version, hash and licence, and its output is reproducible', () => {
    const bill = () => spawnSync(process.execPath, ['scripts/sbom.mjs'], { cwd: root, encoding: 'utf8' }).stdout;
    const text = bill();
    const { bomFormat, metadata, components, dependencies } = JSON.parse(text);
    expect([bomFormat, metadata.component.name]).toEqual(['CycloneDX', 'nordic-opioid-cds']);
    const required = components.filter(({ scope }: { scope: string }) => scope === 'required');
    const names = required.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(Object.keys(JSON.parse(read('package.json')).dependencies)));
    expect(names).not.toContain('esbuild-wasm');
    for (const { purl, hashes, licenses } of components) {
      expect(purl).toMatch(/^pkg:npm\/.+@\d/);
      expect([purl, hashes?.length, licenses?.length]).toEqual([purl, 1, 1]);
    }
    expect(dependencies).toHaveLength(components.length + 1);
    expect(bill()).toBe(text);
  });
});

describe('docker-compose.yml', () => {
  const compose = parse(read('docker-compose.yml'), { merge: true });

  test('every variable that it sets is one that the service reads', () => {
    const known = read('src/config.ts');
    for (const [name, service] of Object.entries(
      compose.services as Record<string, { build?: string; environment: object }>,
    )) {
      if (!service.build) continue;
      for (const variable of Object.keys(service.environment))
        expect(known, `${name}: ${variable}`).toContain(`${variable}:`);
    }
  });

  test('the replicas publish no port and share a database, and the proxy in front of them is configured', () => {
    const replica = compose.services['cds-replica'];
    expect(replica.ports).toBeUndefined();
    expect(replica.environment.DATABASE_URL).toContain('@postgres:5432/');
    expect(compose.services.proxy.volumes).toContain('./deploy/nginx.conf:/etc/nginx/nginx.conf:ro');
    expect(read('deploy/nginx.conf')).toContain('server cds-replica:3000');
  });

  const nginx = '/usr/sbin/nginx';
  test.skipIf(!existsSync(nginx))('nginx accepts its configuration', () => {
    const place = mkdtempSync(join(tmpdir(), 'cds-nginx-'));
    // Names of other containers are resolved only in the compose network.
    writeFileSync(join(place, 'nginx.conf'), read('deploy/nginx.conf').replace('cds-replica:3000', '127.0.0.1:3000'));
    const { status, stderr } = spawnSync(nginx, ['-t', '-c', join(place, 'nginx.conf')], {
      encoding: 'utf8',
    });
    rmSync(place, { recursive: true });
    expect([status, stderr]).toEqual([0, expect.stringContaining('test is successful')]);
  });
});
