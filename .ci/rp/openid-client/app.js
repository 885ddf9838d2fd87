// A web application that signs its users in through openid-client, as its documentation says. It prints its redirect
// URI as a line of JSON, reads the issuer and its credentials as another, and shows on /callback what it was told of
// the user. It ends when its input ends.
import http from 'node:http'
import readline from 'node:readline'
import * as client from 'openid-client'

const host = '127.0.0.2' // another host than the issuer's, so that neither sees the other's cookies
const attempts = new Map()
let config

const server = http.createServer(async (req, res) => {
  try {
    const url = new URL(req.url, origin)
    switch (url.pathname) {
      case '/':
        return await begin(res)
      case '/callback':
        return await finish(req, url, res)
      default:
        res.writeHead(404).end()
    }
  } catch (err) {
    res.writeHead(500, { 'content-type': 'text/plain' })
    res.end(`${err.stack}\ncause: ${JSON.stringify(err.cause ?? null)}\n`)
  }
})
await new Promise((resolve) => server.listen(0, host, resolve))
const origin = `http://${host}:${server.address().port}`
const redirectURI = `${origin}/callback`
console.log(JSON.stringify({ redirect_uri: redirectURI }))

const input = readline.createInterface({ input: process.stdin })
input.once('line', async (line) => {
  const { issuer, client_id, client_secret } = JSON.parse(line)
  config = await client.discovery(
    new URL(issuer),
    client_id,
    { client_secret, id_token_signed_response_alg: 'ES256' },
    undefined,
    // Plain HTTP, on this machine only.
    { execute: [client.allowInsecureRequests] },
  )
  console.log(JSON.stringify({ ready: true }))
})
input.once('close', () => process.exit(0))

async function begin(res) {
  const attempt = {
    verifier: client.randomPKCECodeVerifier(),
    state: client.randomState(),
    nonce: client.randomNonce(),
  }
  const browser = client.randomState()
  attempts.set(browser, attempt)
  const to = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectURI,
    scope: 'openid email offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(attempt.verifier),
    code_challenge_method: 'S256',
    state: attempt.state,
    nonce: attempt.nonce,
  })
  res.writeHead(303, { location: to.href, 'set-cookie': `attempt=${browser}; HttpOnly; SameSite=Lax` }).end()
}

async function finish(req, url, res) {
  const browser = /(?:^|; )attempt=([^;]+)/.exec(req.headers.cookie ?? '')?.[1]
  const attempt = attempts.get(browser)
  if (!attempt) {
    res.writeHead(400).end('no sign-in was begun in this browser\n')
    return
  }
  attempts.delete(browser)
  const tokens = await client.authorizationCodeGrant(config, url, {
    pkceCodeVerifier: attempt.verifier,
    expectedState: attempt.state,
    expectedNonce: attempt.nonce,
    idTokenExpected: true,
  })
  const idToken = tokens.claims()
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, idToken.sub)
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token)
  const introspected = await client.tokenIntrospection(config, refreshed.access_token)
  await client.tokenRevocation(config, refreshed.refresh_token)
  const revoked = await client.tokenIntrospection(config, refreshed.refresh_token)
  res.writeHead(200, { 'content-type': 'application/json' })
  res.end(JSON.stringify({ id_token: idToken, refreshed: refreshed.claims() ?? null, userinfo, introspected, revoked }))
}
