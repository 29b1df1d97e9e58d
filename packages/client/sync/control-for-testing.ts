/** Runs the worlds of the property suite in a program whose merge was made wrong on its way into Node; prints the first that fails. */
import { firstFailure } from './world-for-testing.ts';

const failure = await firstFailure(Number(process.argv[2]), Number(process.argv[3]));
process.stdout.write(JSON.stringify(failure ?? null));
