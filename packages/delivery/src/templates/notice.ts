/** A notice in the words of another service: plain words, escaped and laid out here. */
import { escapeHtml, layPage } from './layout.ts'

export interface Notice {
  readonly heading: string
  /** Paragraphs, with empty lines between them. */
  readonly body: string
  readonly action?: { readonly url: string; readonly label: string }
}

/** The same words as plain text and as HTML. */
export function layNotice({ heading, body, action }: Notice): { text: string; html: string } {
  const paragraphs = body
    .replace(/\r\n?/g, '\n')
    .split(/\n{2,}/)
    .map(each => each.trim())
    .filter(each => each !== '')
  const link = action === undefined ? [] : [`${action.label}: ${action.url}`]
  return {
    text: `${[heading, ...paragraphs, ...link].join('\n\n')}\n`,
    html: layPage('und', [
      `<h1 style="font-size:20px">${escapeHtml(heading)}</h1>`,
      ...paragraphs.map(each => `<p>${escapeHtml(each).replaceAll('\n', '<br>')}</p>`),
      ...(action === undefined ? [] : [`<p><a href="${escapeHtml(action.url)}">${escapeHtml(action.label)}</a></p>`]),
    ]),
  }
}
