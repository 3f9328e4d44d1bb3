import { type Static, Type } from 'typebox'

const GatewayRoute = Type.Object({
  prefix: Type.String({ description: 'How the path begins', examples: ['/places/'] }),
  is_exact: Type.Boolean({ description: 'The prefix is the whole path' }),
  methods: Type.Array(Type.String(), { examples: [['GET', 'PATCH']] }),
  service: Type.String({ examples: ['places'] }),
  base_url: Type.String({ examples: ['http://localhost:4002'] }),
  access: Type.Union([
    Type.Literal('public'),
    Type.Object({
      permissions: Type.Array(Type.String(), {
        description: 'What every path here needs at least; none: whoever is signed in. The service itself decides.',
        examples: [['places:read']],
      }),
    }),
  ]),
})

export const GatewayMap = Type.Object({
  items: Type.Array(GatewayRoute, { description: 'The first that fits counts: the longest prefix comes first' }),
})
export type GatewayMap = Static<typeof GatewayMap>
