// Every mistake about host endpoints that is on the list is found.
import { mustAllBeCaught } from './caught.ts';
import { hostMutations } from './host-mutations.ts';

mustAllBeCaught(hostMutations);
