/** The same words as plain text and as HTML. Nothing in either is built from a request: no link, no host. */
import type { Paragraph } from './wording.ts'

export function layText(greeting: string, paragraphs: readonly Paragraph[]): string {
  const blocks = paragraphs.map(each => (typeof each === 'string' ? each : `    ${each.code}`))
  return `${[greeting, ...blocks].join('\n\n')}\n`
}

export function layHtml(language: string, greeting: string, paragraphs: readonly Paragraph[]): string {
  const blocks = [greeting, ...paragraphs].map(each =>
    typeof each === 'string'
      ? `<p>${escapeHtml(each)}</p>`
      : `<p style="font:bold 24px monospace;letter-spacing:2px;word-break:break-all">${escapeHtml(each.code)}</p>`,
  )
  return layPage(language, blocks)
}

/** @param language of the words, `und` where nobody knows it (BCP 47) @param blocks HTML */
export function layPage(language: string, blocks: readonly string[]): string {
  return [
    '<!doctype html>',
    `<html lang="${language}"><head><meta charset="utf-8"></head>`,
    '<body style="font:16px/1.5 sans-serif;max-width:36em;margin:2em auto;padding:0 1em">',
    ...blocks,
    '</body></html>',
    '',
  ].join('\n')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export function escapeHtml(words: string): string {
  return words.replace(/[&<>"']/g, character => entities[character] ?? '')
}
