// Layer rules that an import graph cannot see: a name taken out of node:crypto, a table that one folder alone may read.

export interface SourceRule {
  readonly name: string
  readonly comment: string
  readonly pattern: RegExp
  /** Files, relative to the root, that may hold the pattern. */
  readonly except: RegExp
}

export const sourceRules: readonly SourceRule[] = [
  {
    name: 'private-keys-stay-in-keys',
    comment:
      'Only modules/keys of iam makes, reads or signs with a private key. Call its door with what is to be signed.',
    pattern:
      /\b(createPrivateKey|generateKeyPair(Sync)?|createSign|importPKCS8|exportPKCS8)\b|PRIVATE KEY|\bimport\s*\{[^}]*\bsign\b[^}]*\}\s*from\s*['"]node:crypto['"]|\bcrypto\.sign\(/,
    // The test issuer and the benchmarks make keys of their own, on the spot, and never see the installation's.
    except: /^(apps\/iam\/src\/modules\/keys\/|packages\/(testkit|bench)\/|packages\/verifier\/src\/testing[./])/,
  },
  {
    name: 'password-hashes-stay-in-password',
    comment: 'Only packages/accounts/src/password* reads or writes password_credentials. Ask it to compare or to set.',
    pattern: /\b(password_credentials|passwordCredentials)\b/,
    except: /^packages\/(accounts\/src\/password[^/]*(\/|\.ts$)|db\/|testkit\/|bench\/)/,
  },
]
