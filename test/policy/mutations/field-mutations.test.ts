// Every mistake about fields of policies and of the table that is on the list is found.
import { mustAllBeCaught } from './caught.ts';
import { fieldMutations } from './field-mutations.ts';

mustAllBeCaught(fieldMutations);
