// The door of the datastore room.
export * from './datastore.ts';
export * from './errors.ts';
