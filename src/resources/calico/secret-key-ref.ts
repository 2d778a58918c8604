// A password, by reference: nothing secret stands in Calico's own objects.
import { boolean, object, optional, string } from '../field.ts';

export function password(description: string) {
  return object(
    {
      secretKeyRef: optional(
        object(
          {
            name: optional(string({ default: '', description: "The Secret, in Calico's own namespace." })),
            key: string({ description: 'The key within the Secret.' }),
            optional: optional(boolean({ description: 'Whether it may be missing.' })),
          },
          { 'x-kubernetes-map-type': 'atomic', description: 'Where the password is kept.' },
        ),
      ),
    },
    { description },
  );
}
