// `calico-node health`: what probes of the container ask. Each question that is asked must be answered well.
import { birdStatus, readBgpReport, unreadyReasons } from '../bgp/index.ts';
import { felixHealthUrl } from '../process/index.ts';
import type { NodeOptions } from './options.ts';

const questions = ['--felix-live', '--felix-ready', '--bird-live', '--bird-ready'] as const;
type Question = (typeof questions)[number];
type Environment = Readonly<Record<string, string | undefined>>;

const felixDeadlineMs = 5_000;

/** What is not well, a sentence each; nothing when all is. @throws RangeError for a question that is none */
export async function unhealthy(
  asked: readonly string[],
  options: NodeOptions,
  environment: Environment,
): Promise<string[]> {
  const unknown = asked.find((word) => !questions.some((question) => question === word));
  if (unknown !== undefined || asked.length === 0) {
    throw new RangeError(`"${unknown ?? ''}" is not a question of health; ask ${questions.join(', ')}`);
  }
  const answers = await Promise.all(asked.map((word) => answer(word as Question, options, environment)));
  return answers.flat();
}

async function answer(question: Question, options: NodeOptions, environment: Environment): Promise<string[]> {
  switch (question) {
    case '--felix-live':
      return felix('liveness', environment);
    case '--felix-ready':
      return felix('readiness', environment);
    case '--bird-live':
    case '--bird-ready': {
      const { isRunning, reasons } = await bird(options);
      return question === '--bird-live' && isRunning ? [] : reasons;
    }
  }
}

async function felix(page: 'liveness' | 'readiness', environment: Environment): Promise<string[]> {
  const url = felixHealthUrl(environment, page);
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(felixDeadlineMs) });
    return response.ok ? [] : (await response.text()).trim().split('\n');
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return [`Felix does not answer at ${url}: ${cause instanceof Error ? cause.message : cause}`];
  }
}

async function bird({
  paths: { bird: paths },
}: NodeOptions): Promise<{ isRunning: boolean; reasons: string[] }> {
  try {
    return { isRunning: true, reasons: unreadyReasons(await birdStatus(paths.socket)) };
  } catch (error) {
    const trouble = readBgpReport(paths.report)?.trouble;
    const why = trouble ?? (error instanceof Error ? error.message : String(error));
    return { isRunning: false, reasons: [`BIRD is not running: ${why}`] };
  }
}
