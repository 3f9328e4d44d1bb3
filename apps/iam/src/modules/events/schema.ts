import { Type } from 'typebox'

export const EventStream = {
  description: 'Server-sent events. A comment every 15 seconds; `id` is what `Last-Event-ID` takes',
  content: {
    'text/event-stream': {
      schema: Type.String({
        examples: [
          'id: 1793620800123456\nevent: revoked\ndata: {"uri":"https://id.example.com/status-lists/1","idx":5}\n\n',
        ],
      }),
    },
  },
}
