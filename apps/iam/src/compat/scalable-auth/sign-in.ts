/** From a sign-in of ours to the answer of scalable-auth: one token, and words of its own for what is wrong. */
import { Problem, problem } from '@signet/kernel'
import type { Deps, RequestFacts } from '../../deps.ts'
import type { Door } from '../../modules/doors/index.ts'
import { signInByCode } from '../../modules/otp/index.ts'
import { signInByPassword } from '../../modules/sign-in/index.ts'
import type { TokenAnswer } from '../../modules/tokens/index.ts'

interface Entered {
  readonly detail: string
  readonly token: string
}

/** @throws Problem `invalid-credentials`, `too-many-attempts`, `hashing-busy` */
export async function enterByPassword(
  deps: Deps,
  secret: ({ readonly identifier: string } | { readonly phone: string }) & { readonly password: string },
  request: RequestFacts,
  door: Door,
): Promise<Entered> {
  return answer(signInByPassword(deps, secret, request, door), 'Incorrect username or password')
}

/** @param door where nobody is made @throws Problem `invalid-credentials` */
export async function enterByCode(
  deps: Deps,
  proof: { readonly phone: string; readonly code: string },
  request: RequestFacts,
  door?: Door,
): Promise<Entered> {
  return answer(signInByCode(deps, proof, request, door), "OTP didn't match")
}

const wrongSecrets: ReadonlySet<string> = new Set(['invalid-credentials', 'invalid-code'])

async function answer(entering: Promise<TokenAnswer>, refusal: string): Promise<Entered> {
  try {
    const { access_token: token = '' } = await entering
    return { detail: 'Login successful', token }
  } catch (error) {
    if (error instanceof Problem && wrongSecrets.has(error.code)) throw problem('invalid-credentials', refusal)
    throw error
  }
}
