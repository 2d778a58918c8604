// What is wrong with a go-template.
/** A template cannot be read or run; the message says where. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}
