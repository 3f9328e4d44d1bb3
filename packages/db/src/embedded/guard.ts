/**
 * A process of its own that outlives the launcher for one moment: when its standard input ends without the word `done`, the
 * launcher was killed, and the server it left behind is stopped.
 * Arguments: pg_ctl, data folder, the server's process id, and the user and group id of the server's account or `-`.
 */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const [pgCtl = '', dataFolder = '', serverPid = '', uid = '-', gid = '-'] = process.argv.slice(2)

/** A new launcher may have started the next server on the same folder already: that one is not ours to stop. */
function isOurServerRunning(): boolean {
  try {
    return readFileSync(join(dataFolder, 'postmaster.pid'), 'utf8').split('\n')[0]?.trim() === serverPid
  } catch {
    return false
  }
}

let heard = ''
process.stdin.setEncoding('utf8')
process.stdin.on('data', text => {
  heard += text
})
process.stdin.on('close', () => {
  if (heard.startsWith('done') || !isOurServerRunning()) return
  const account = uid === '-' ? {} : { uid: Number(uid), gid: Number(gid) }
  const stopIn = (mode: string) =>
    spawnSync(pgCtl, ['stop', '-D', dataFolder, '-m', mode, '-w', '-t', '2'], {
      ...account,
      cwd: dataFolder,
      stdio: 'ignore',
    })
  if (stopIn('fast').status !== 0) stopIn('immediate')
})
