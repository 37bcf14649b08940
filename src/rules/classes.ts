import type { ClassRecord } from '../chart/read.ts';
import type { Classify } from '../chart/treatments.ts';
import type { Expression } from './expression.ts';

/** The compiled classes of hooks/classes.yaml: facts of the record, and an expression per class, in their order. */
export type Classes = { facts: Map<string, Expression>; classes: Map<string, Expression> };

/** Gives a medicine its classes in this patient. The facts are found once for all medicines. */
export function classifierOf({ facts, classes }: Classes): (record: ClassRecord) => Classify {
  return (record) => {
    const known: Record<string, unknown> = { ...record, age: record.age?.least ?? [] };
    const variables = (name: string) => known[name];
    for (const [name, fact] of facts) known[name] = fact.evaluate('all', variables);
    return (item) => {
      // A class may refer to earlier ones.
      const lists = [...item.lists];
      const found: string[] = [];
      for (const [name, expression] of classes) {
        if (expression.evaluate('all', variables, [{ ...item, lists }]).length === 0) continue;
        lists.push(name);
        found.push(name);
      }
      return found;
    };
  };
}
