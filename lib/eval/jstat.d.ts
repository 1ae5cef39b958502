/** What is used of jStat, which brings no types of its own. */
declare module "jstat" {
  const jStat: { studentt: { inv(p: number, freedom: number): number } };
  export = jStat;
}
