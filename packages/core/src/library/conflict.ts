/** Another writer came first: what was decided has to be decided anew. */
export class Conflict extends Error {
  constructor() {
    super('Another writer changed the library: the change was not committed.');
  }
}
