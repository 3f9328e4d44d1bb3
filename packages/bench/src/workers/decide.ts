/** Decides without any SQL: how long one decision takes by a role, and by up to 51 policies with conditions. */

import { createDecider, type Bundle, type Question } from '@signet/verifier/policies'
import { answerQuestions } from './answer-questions.ts'

export interface DecideQuestion {
  /** How many policies name the permission that is asked about; with 0 a role decides. */
  readonly policies: number
}

const decisionsPerSample = 200
const samples = 50
const permission = 'invoices:read'
const owner = 'owner'

/** Milliseconds of one decision, a sample each: the mean of those that were made in a row. */
answerQuestions(async ({ policies }: DecideQuestion): Promise<number[]> => {
  const decider = createDecider(bundleOf(policies))
  const question: Question = {
    subject: { id: owner, kind: 'user', roles: policies === 0 ? ['member', 'billing'] : ['member'] },
    action: permission,
    resource: { type: 'Invoice', id: '7', properties: { owner_id: owner, amount: 120, folder: 'folder-0' } },
    context: { hour: 9 },
  }
  const sample = () => {
    const startedAt = performance.now()
    for (let count = 0; count < decisionsPerSample; count += 1) {
      if (!decider.decide(question).decision) throw new Error('This was to be permitted.')
    }
    return (performance.now() - startedAt) / decisionsPerSample
  }
  for (let count = 0; count < 5; count += 1) sample()
  return Array.from({ length: samples }, sample)
})

function bundleOf(policies: number): Bundle {
  return {
    version: 1,
    tenant: 'company',
    permissions: [permission, 'invoices:modify'],
    roles: [
      { id: 'r-1', name: 'member', permissions: [] },
      { id: 'r-2', name: 'billing', permissions: [permission, 'invoices:modify'] },
    ],
    policies: Array.from({ length: policies }, (_, number) => ({
      id: `p-${number}`,
      name: `policy ${number}`,
      source: `permit(principal, action == Action::"${permission}", resource is Invoice)
when { resource.owner_id == principal.id && resource.folder == "folder-${number}" && context.hour < 18 };`,
      statements: [{ number: 1, line: 1, effect: 'permit', actions: [permission], isTemplate: false }],
      attachments: [],
    })),
  }
}
