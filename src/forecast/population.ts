import { daysBetween, type LocalDate, plusDays } from '../dates.ts';
import type { Resource } from '../fhir/json.ts';
import { compareTexts } from '../text.ts';
import {
  type Pen,
  SYNTHETIC,
  visit,
  writeAppointment,
  writeCondition,
  writeOrder,
  writeProcedure,
  writeResult,
} from './population-resources.ts';
import type { Course, Population } from './population-schema.ts';
import { randomOf } from './random.ts';

/** One invented patient with years of history, oldest first. The same seed and number give the same patient. */
export function inventPatient(population: Population, seed: number, number: number): Resource[] {
  const random = randomOf(seed, number);
  const { start, end } = population.period;
  const [least, most] = population.ages[
    Number(random.pick(Object.fromEntries(population.ages.map(([, , weight], at) => [at, weight]))))
  ] as [number, number, number];
  const age = random.between(least, most);
  const born = plusDays(start, -Math.round(age * 365.25) - random.between(0, 364));
  const patient = `synthetic-${seed}-${number}`;
  const pen: Pen = { population, random, patient, age, written: [], counts: new Map(), conditions: new Map() };
  const years = daysBetween(start, end) / 365.25;
  for (const course of Object.values(population.courses)) beginCourses(pen, course, years);
  for (let at = 0; at < Math.round(population.visits * years * 2 * random.next()); at++)
    visit(pen, someDay(pen), undefined);
  const person: Resource = {
    resourceType: 'Patient',
    id: patient,
    meta: SYNTHETIC,
    active: true,
    name: [{ text: `Synthetic Patient ${number}` }],
    gender: random.chance(population.female) ? 'female' : 'male',
    birthDate: born,
  };
  const history = pen.written.sort((a, b) => compareTexts(a.at, b.at));
  return [person, ...history.map(({ resource }) => resource)];
}

function beginCourses(pen: Pen, course: Course, years: number): void {
  const { random, population } = pen;
  if (course.ages && (pen.age < course.ages[0] || pen.age > course.ages[1])) return;
  if (course.per1000 !== undefined && random.chance(course.per1000 / 1000)) {
    // Half of them already took it when the period began.
    const day = random.chance(0.5) ? plusDays(population.period.start, random.between(0, 30)) : someDay(pen);
    writeCourse(pen, course, day);
  }
  const expected = ((course.perYear ?? 0) / 1000) * years;
  for (let left = expected; left > 0; left--)
    if (random.chance(Math.min(1, left))) writeCourse(pen, course, someDay(pen));
}

function someDay({ population: { period }, random }: Pen): LocalDate {
  return plusDays(period.start, random.between(0, daysBetween(period.start, period.end)));
}

function writeCourse(pen: Pen, course: Course, start: LocalDate, depth = 0): void {
  const { random, population } = pen;
  const { end } = population.period;
  const condition = course.conditions && writeCondition(pen, random.pick(course.conditions), start);
  if (course.medicines) {
    const key = random.pick(course.medicines);
    const count = random.between(...course.orders);
    const tapers = random.chance(course.taper);
    const stops = random.chance(course.stopped);
    let before: string | undefined;
    for (let at = 0; at < count; at++) {
      const day = plusDays(start, at * course.every + (at > 0 ? random.between(-3, 5) : 0));
      if (day > end) break;
      const encounter = visit(pen, day, course.settings);
      const halved = tapers && at >= (count * 2) / 3;
      const stopped = stops && at === count - 1;
      before = writeOrder(pen, course, { key, day, encounter, before, condition, halved, stopped });
    }
  }
  for (const [name, [perYear, positive]] of Object.entries(course.results)) {
    const gap = Math.round(365 / perYear);
    for (
      let day = plusDays(start, random.between(0, gap));
      day <= end;
      day = plusDays(day, random.between(gap - 5, gap + 5))
    )
      writeResult(pen, name, day, random.chance(positive));
  }
  for (const [name, chance] of Object.entries(course.procedures))
    if (random.chance(chance)) writeProcedure(pen, name, start);
  if (random.chance(course.follow)) writeAppointment(pen, start, plusDays(start, random.between(5, 14)));
  // A course started by another one starts no endless chain.
  if (depth < 2) {
    for (const [name, chance] of Object.entries(course.also)) {
      const other = population.courses[name];
      const day = plusDays(start, random.between(0, 40));
      if (other && random.chance(chance) && day <= end) writeCourse(pen, other, day, depth + 1);
    }
  }
}
