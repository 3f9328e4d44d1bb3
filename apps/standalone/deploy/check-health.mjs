// A container is well when its program says so: `node check-health.mjs http://127.0.0.1:4000/readyz`.
const answer = await fetch(process.argv[2] ?? '', { signal: AbortSignal.timeout(4_000) }).catch(() => undefined)
process.exit(answer?.ok === true ? 0 : 1)
