// Every mistake about malformed objects that is on the list is found.
import { mustAllBeCaught } from './caught.ts';
import { malformedMutations } from './malformed-mutations.ts';

mustAllBeCaught(malformedMutations);
