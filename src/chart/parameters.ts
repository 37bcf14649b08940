/** Numbers of hooks/treatments.yaml; their names give the unit, months or days. */
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
