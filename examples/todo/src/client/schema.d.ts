export * from "./schemaVersions/v1.js";
export { default } from "./schemaVersions/v1.js";
