// Which version this is; a test holds it to package.json, which a bundle does not carry along.

export const version = '0.1.0';

/** The oldest Node.js that runs calicoctl and all that it is bundled with. */
export const oldestNode = '22.19';
