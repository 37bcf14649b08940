/** Numbers of hooks/treatments.yaml; months and days as their names say. */
export type TreatmentParameters = {
  openMonths: number;
  freshDays: number;
  betweenDays: number;
  possibleMonths: number;
  possibleMonthsContinuing: number;
  completedDays: number;
  dispenseDays: number;
  dispensePossibleDays: number;
  continuationDays: number;
  supplyDays: number;
  supplyWindowDays: number;
  wardDays: number;
  singleUnits: number;
  singleDays: number;
};
