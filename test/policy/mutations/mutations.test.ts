// Every mistake about the compiler that is on the list is found.
import { mustAllBeCaught } from './caught.ts';
import { compilerMutations } from './compiler-mutations.ts';

mustAllBeCaught(compilerMutations);
