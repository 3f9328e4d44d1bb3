// The packages that carry Node's binary name their platform as a text where npm asks for a list, so pnpm would fetch every
// platform's binary everywhere (36 MB a start on a fresh machine).
const binary = /^node-(linux|win|darwin)-(x64|arm64)$/

module.exports = {
  hooks: {
    readPackage(pkg) {
      const [, system, processor] = binary.exec(pkg.name ?? '') ?? []
      if (system !== undefined) Object.assign(pkg, { os: [system === 'win' ? 'win32' : system], cpu: [processor] })
      // It writes its types through the compiler's own interface, which TypeScript 7 does not have; its peer would be that one.
      if (pkg.name === 'openapi-typescript') {
        delete pkg.peerDependencies.typescript
        pkg.dependencies.typescript = '6.0.3'
      }
      return pkg
    },
  },
}
