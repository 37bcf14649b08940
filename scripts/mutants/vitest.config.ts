import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { readPlan } from './plan.ts';

const { root, tests } = readPlan();

class AsPlanned extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const at = ({ moduleId }: TestSpecification) => tests.findIndex((test) => moduleId.endsWith(test));
    return files.sort((one, other) => at(one) - at(other));
  }
}

export default defineConfig({
  root,
  test: {
    include: tests,
    environment: 'node',
    pool: 'forks',
    // One process that stays warm: the runner takes the modules away itself before each pass.
    isolate: false,
    maxWorkers: 1,
    fileParallelism: false,
    sequence: { sequencer: AsPlanned },
    runner: `${import.meta.dirname}/runner.ts`,
    reporters: [],
    testTimeout: 20_000,
  },
});
