// A program of a tenant's, as its developers write it: everything goes through the client that was generated, and its types.
// It reads from the first file that it is given what the demonstration wrote with --info, and from the second what the command
// line told of a client of the whole deployment.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createClient, type Client } from '@hey-api/client-fetch'
import { Contract } from './contract'
import * as api from './generated'

type Credentials = { client: { client_id: string }; client_secret: string }
type Info = { issuer: string; program: { name: string; tenant: string; client_id: string; client_secret: string } }

const read = (argument: number): unknown => JSON.parse(readFileSync(process.argv[argument] ?? '', 'utf8'))
const info = read(2) as Info
const operations = read(3) as Credentials
const contract = new Contract('openapi.json')
const tenant = info.program.tenant

// token gets an access token by client credentials (RFC 6749, section 4.4).
async function token(id: string, secret: string, scope?: string): Promise<string> {
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...(scope && { scope }) })
  const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
  const answer = await fetch(`${info.issuer}/token`, { method: 'POST', body: form, headers: { authorization } })
  const { access_token } = (await answer.json()) as { access_token?: string }
  assert.ok(access_token, `no token for ${id}: ${answer.status}`)
  return access_token
}

// connect makes a client with an access token, whose every answer is held to the description.
function connect(auth?: string): Client {
  const client = createClient({ baseUrl: info.issuer, ...(auth && { auth }) })
  client.interceptors.response.use(async (response, request, options) => {
    await contract.check(request.method, options.url, response.clone())
    return response
  })
  return client
}

type Result<T> = { data?: T; error?: unknown; response: Response }

// done is the answer of what was carried out.
async function done<T>(call: Promise<Result<T>>, status = 200): Promise<T> {
  const { data, error, response } = await call
  assert.equal(response.status, status, `${response.url}: ${JSON.stringify(error)}`)
  assert.ok(data !== undefined)
  return data
}

// refused is the problem that an answer tells (RFC 9457).
async function refused(call: Promise<{ error?: api.Problem; response: Response }>, status: number, code: string): Promise<api.Problem> {
  const { error, response } = await call
  assert.equal(response.status, status, `${response.url}: ${JSON.stringify(error)}`)
  assert.ok(error)
  assert.equal(error.status, status)
  assert.equal(error.code, code)
  assert.ok(error.title && error.detail && error.request, JSON.stringify(error))
  return error
}

// whose tells who the program is.
async function whose(client: Client): Promise<string> {
  const me = await done(api.getMe({ client }))
  assert.equal(me.client.id, info.program.client_id)
  assert.equal(me.client.name, info.program.name)
  assert.equal(me.tenant?.id, tenant)
  assert.equal(me.user, undefined)
  assert.ok(me.scopes.includes('users:read') && !me.scopes.includes('operator'))
  return `the token is ${me.client.name}'s, of ${me.tenant.name}, with ${me.scopes.length} scopes`
}

// users looks for them, and pages through them.
async function users(client: Client): Promise<string> {
  const path = { tenant }
  const all: api.User[] = []
  let pages = 0
  for (let after: string | undefined; pages === 0 || after; pages++) {
    const page: api.UserList = await done(api.listUsers({ client, path, query: { limit: 2, ...(after && { after }) } }))
    assert.ok(page.items.length <= 2)
    all.push(...page.items)
    after = page.next
  }
  assert.equal(new Set(all.map((u) => u.id)).size, 5)
  assert.equal(pages, 3)
  const found = async (query: NonNullable<api.ListUsersData['query']>) =>
    (await done(api.listUsers({ client, path, query }))).items.map((u) => u.email)
  assert.deepEqual(await found({ text: 'clara' }), ['clara@weiss.example'])
  assert.deepEqual(await found({ role: 'owner' }), ['olga@northwind.example'])
  assert.equal((await found({ type: 'staff' })).length, 3)
  assert.deepEqual(await found({ two_factor: 'on' }), [])
  // @ts-expect-error: no role of this name is described.
  await refused(api.listUsers({ client, path, query: { role: 'king' } }), 400, 'error.bad_request')

  // One of them is there already, one will do, and one will not; nothing is changed by that.
  const file = 'email,role\nclara@weiss.example,\ndora@northwind.example,\nking@northwind.example,king\n'
  const headers = { 'Content-Type': 'text/csv' }
  const plain = { bodySerializer: (text: unknown) => text }
  const report = await done(api.importUsers({ client, path, headers, body: file, ...plain, query: { dry_run: true } }))
  assert.deepEqual([report.dry_run, report.created, report.skipped, report.refused], [true, 1, 1, 1])
  assert.deepEqual(report.refused_lines.map((l) => [l.line, l.code, l.field]), [[4, 'unknown', 'role']])
  const exported = await done(api.exportUsers({ client, path, query: { format: 'jsonl' }, parseAs: 'text' }))
  assert.equal(exported.trim().split('\n').length, 5)
  return `${all.length} users on ${pages} pages; found by name, role, type and state, and taken out in a file`
}

// people adds a user, changes and removes it again.
async function people(client: Client): Promise<string> {
  const path = { tenant }
  const { user, password } = await done(
    api.createUser({ client, path, body: { email: 'dora@northwind.example', name: 'Dora Lind', type: 'client' } }),
    201,
  )
  assert.ok(password)
  assert.equal(user.role, 'member')
  const dora = { tenant, user: user.id }
  const changed = await done(api.changeUser({ client, path: dora, body: { type: 'contractor', require_2fa: true } }))
  assert.deepEqual([changed.type, changed.require_2fa, changed.name], ['contractor', true, 'Dora Lind'])
  assert.equal((await done(api.getUser({ client, path: { tenant, user: 'dora@northwind.example' } }))).require_2fa, true)

  const moved = await done(api.changeUser({ client, path: dora, body: { email: 'Dora.Lind@northwind.example' } }))
  assert.deepEqual([moved.email, moved.email_verified], ['dora.lind@northwind.example', false])
  const others = await refused(api.changeUser({ client, path: dora, body: { email: 'olga@northwind.example' } }), 409, 'error.exists')
  assert.equal(others.errors?.[0]?.where, 'email')

  const taken = await refused(api.createUser({ client, path, body: { email: 'dora.lind@northwind.example' } }), 409, 'error.exists')
  assert.equal(taken.errors?.[0]?.where, 'email')
  const odd = await refused(api.changeUser({ client, path: dora, body: { type: 'pirate' } }), 422, 'error.invalid')
  assert.match(odd.errors?.[0]?.do ?? '', /contractor/)
  // @ts-expect-error: no field of this name is described.
  const slip = await refused(api.changeUser({ client, path: dora, body: { tpye: 'client' } }), 400, 'error.bad_request')
  assert.equal(slip.errors?.[0]?.where, 'tpye')

  assert.equal((await done(api.disableUser({ client, path: dora }))).disabled, true)
  assert.equal((await done(api.enableUser({ client, path: dora }))).disabled, false)
  await done(api.endSessions({ client, path: dora }))
  await done(api.forgetDevices({ client, path: dora }))
  await done(api.unlockUser({ client, path: dora }))
  assert.equal((await done(api.resetTwoFactor({ client, path: dora }))).two_factor, false)
  await done(api.deleteUser({ client, path: dora }), 204)
  await refused(api.getUser({ client, path: dora }), 404, 'error.not_found')
  return 'a user was added, changed, kept out, let in and removed; slips are told by field'
}

// recovery makes a recovery code, and asks again as after an answer that got lost.
async function recovery(client: Client): Promise<string> {
  const sam = { tenant, user: 'sam@northwind.example' }
  const make = (key: string, path = sam) => api.makeRecoveryCode({ client, path, headers: { 'Idempotency-Key': key } })
  const first = await done(make('ticket-4711'), 201)
  assert.deepEqual(await done(make('ticket-4711'), 201), first)
  assert.notEqual((await done(make('ticket-4712'), 201)).code, first.code)
  await refused(make('ticket-4711', { tenant, user: 'clara@weiss.example' }), 422, 'error.idempotency_key_reused')
  await done(api.revokeRecoveryCode({ client, path: sam }), 204)
  return 'a recovery code was made once, though asked for twice with one Idempotency-Key'
}

// invitations are sent, sent again and withdrawn; user types are added and removed.
async function invitations(client: Client): Promise<string> {
  const path = { tenant }
  const invited = await done(api.inviteUser({ client, path, body: { email: 'eva@northwind.example', type: 'client' } }), 201)
  assert.ok(invited.invited && !invited.has_password)
  const open = await done(api.listInvitations({ client, path }))
  assert.deepEqual(open.items.map((u) => u.id), [invited.id])
  await done(api.sendInvitation({ client, path: { tenant, user: invited.id } }))
  await done(api.withdrawInvitation({ client, path: { tenant, user: invited.id } }), 204)
  await refused(api.getUser({ client, path: { tenant, user: invited.id } }), 404, 'error.not_found')

  // Who came in a file without a password is invited too, and stays when that is withdrawn.
  const headers = { 'Content-Type': 'text/csv' }
  const plain = { bodySerializer: (text: unknown) => text }
  await done(api.importUsers({ client, path, headers, body: 'email,name\nines@northwind.example,Ines Lund\n', ...plain }))
  const ines = { tenant, user: 'ines@northwind.example' }
  const asked = await done(api.sendInvitation({ client, path: ines }))
  assert.ok(asked.invited && !asked.by_invitation)
  await done(api.withdrawInvitation({ client, path: ines }), 204)
  assert.equal((await done(api.getUser({ client, path: ines }))).invited, undefined)
  await done(api.deleteUser({ client, path: ines }), 204)

  const type = await done(api.addUserType({ client, path, body: { name: 'Apprentice' } }), 201)
  await done(api.changeUserType({ client, path: { tenant, type: type.id }, body: { name: 'Trainee' } }))
  assert.ok((await done(api.listUserTypes({ client, path }))).items.some((t) => t.name === 'Trainee' && t.users === 0))
  await done(api.removeUserType({ client, path: { tenant, type: type.id } }), 204)

  const unprotected = await done(api.listUnprotected({ client, path }))
  const reminded = await done(api.remindUnprotected({ client, path }))
  assert.equal(reminded.sent.length + reminded.skipped.length, unprotected.items.length)
  await done(api.remindUser({ client, path: { tenant, user: 'clara@weiss.example' } }))
  await refused(api.remindUser({ client, path: { tenant, user: 'clara@weiss.example' } }), 429, 'error.too_many_requests')
  return 'invitations were sent, sent again and withdrawn, to a new user and to one from a file; a user type came and went; owners were reminded'
}

// settings are those of the tenant.
async function settings(client: Client): Promise<string> {
  const path = { tenant }
  const was = await done(api.getTenant({ client, path }))
  const now = await done(api.changeTenant({ client, path, body: { support: 'help@northwind.example' } }))
  assert.deepEqual({ ...now.settings, support: undefined }, { ...was.settings, support: undefined })
  assert.equal(now.settings.support, 'help@northwind.example')
  const before = await done(api.getAuditRetention({ client, path }))
  assert.equal((await done(api.setAuditRetention({ client, path, body: { days: 365 } }))).days, 365)
  await done(api.setAuditRetention({ client, path, body: { days: before.days } }))

  // Any picture will do; the demonstration has one.
  const picture = await (await fetch(`${info.issuer}/dev/gallery/qr.png`)).blob()
  const headers = { 'Content-Type': 'image/png' }
  await done(api.setLogo({ client, path, headers, body: picture, bodySerializer: (bytes) => bytes }))
  await done(api.removeLogo({ client, path }))
  return 'the tenant was read and changed, and had a logo for a moment'
}

// policy is previewed, changed and explained, and set back.
async function policy(client: Client): Promise<string> {
  const path = { tenant }
  const was = await done(api.getPolicy({ client, path }))
  assert.deepEqual([was.require_2fa, was.restricted, was.networks], [['staff'], false, []])
  const clara = async () => await done(api.explainPolicy({ client, path, body: { user: 'clara@weiss.example', address: '203.0.113.7' } }))
  assert.deepEqual([(await clara()).rule_id, (await clara()).asked.kind], ['default', 'nothing'])

  // A second step for everyone would cut this program off, which has none: networks stand in for it.
  const everyone = await done(api.previewPolicy({ client, path, body: { require_2fa: ['everyone'] } }))
  const cut = everyone.clients.find((c) => c.client_id === info.program.client_id)
  assert.ok(cut?.listable && cut.addresses.length > 0 && everyone.no_factor === everyone.users)
  assert.equal(everyone.refusal?.code, 'locks_out_you')
  const refusal = await refused(api.changePolicy({ client, path, body: { require_2fa: ['everyone'] } }), 422, 'error.invalid')
  assert.equal(refusal.errors?.[0]?.code, 'locks_out_you')

  const networks = cut.addresses.map((a) => ({ prefix: a, name: info.program.name, require_2fa: false }))
  const body: api.ChangePolicy = { require_2fa: ['staff', 'client'], networks, version: was.version }
  const clients = await done(api.previewPolicy({ client, path, body }))
  assert.deepEqual([clients.refusal, clients.clients, clients.locked_out, clients.enrol], [undefined, [], 0, 1])
  assert.deepEqual([clients.own_pages.enrol, clients.applications], [1, []])
  assert.deepEqual(clients.rules.map((r) => [r.change, r.rule.id, r.decides > 0]), [['added', 'type-client', true]])
  const now = await done(api.changePolicy({ client, path, body }))
  assert.deepEqual(now.require_2fa, ['staff', 'client'])
  const explained = await clara()
  assert.deepEqual([explained.rule_id, explained.asked.kind], ['type-client', 'enrol'])
  assert.equal(explained.rules.find((r) => r.decides)?.id, 'type-client')
  const late = await refused(api.changePolicy({ client, path, body: { require_2fa: [], version: was.version } }), 409, 'error.exists')
  assert.equal(late.errors?.[0]?.where, 'version')

  // Something that holds money is connected.
  await done(api.connectIntegration({ client, path: { tenant, integration: 'xero' }, body: { name: 'Xero', kind: 'financial' } }))
  assert.equal((await clara()).rule_id, 'financial')
  await done(api.disconnectIntegration({ client, path: { tenant, integration: 'xero' } }), 204)

  const trial: api.Rule = { name: 'Passkeys for owners', when: { roles: ['owner'] }, then: { access: 'allow' }, report_only: true }
  await done(api.changePolicy({ client, path, body: { rules: [trial, ...now.rules] } }))
  const reports = await done(api.getPolicyReports({ client, path }))
  assert.deepEqual(reports.items.map((r) => [r.name, r.sign_ins]), [[trial.name, 0]])
  const back = await done(api.changePolicy({ client, path, body: { rules: was.rules, networks: [], require_2fa: ['staff'] } }))
  assert.deepEqual(back.rules, was.rules)
  return 'a policy was previewed, refused where it locks this program out, saved with its network listed, explained and set back'
}

// integrations are connected and disconnected.
async function integrations(client: Client): Promise<string> {
  const path = { tenant, integration: 'calendar' }
  const body = { name: 'Calendar', kind: 'scheduling' }
  const connected = await done(api.connectIntegration({ client, path, body }))
  assert.equal(connected.client, info.program.client_id)
  assert.deepEqual(await done(api.connectIntegration({ client, path, body })), connected)
  assert.deepEqual((await done(api.listIntegrations({ client, path: { tenant } }))).items, [connected])
  await done(api.disconnectIntegration({ client, path }), 204)
  assert.deepEqual((await done(api.listIntegrations({ client, path: { tenant } }))).items, [])
  return 'an integration was connected, twice to no harm, and disconnected'
}

// webhooks are set up and looked after.
async function webhooks(client: Client): Promise<string> {
  const path = { tenant }
  const { webhook, secret } = await done(
    api.createWebhook({ client, path, body: { url: 'https://hooks.northwind.invalid/sallyport', events: ['user.*'] } }),
    201,
  )
  assert.match(secret, /^whsec_/)
  const one = { tenant, webhook: webhook.id }
  assert.notEqual((await done(api.rotateWebhookSecret({ client, path: one }), 201)).secret, secret)
  assert.deepEqual((await done(api.listWebhooks({ client, path }))).items.map((w) => w.id), [webhook.id])
  // Nothing answers there, since no name ends so (RFC 2606).
  const tried = await done(api.testWebhook({ client, path: one }))
  assert.equal(tried.state, 'failed')
  assert.deepEqual((await done(api.listDeliveries({ client, path: one }))).items.map((d) => d.id), [tried.id])
  assert.equal((await done(api.redeliver({ client, path: { ...one, delivery: tried.id } }))).id, tried.id)
  assert.equal((await done(api.changeWebhook({ client, path: one, body: { disabled: true } }))).disabled, true)
  const inside = await refused(api.createWebhook({ client, path, body: { url: 'https://127.0.0.1/' } }), 422, 'error.invalid')
  assert.equal(inside.errors?.[0]?.where, 'url')
  await done(api.deleteWebhook({ client, path: one }), 204)
  await refused(api.getWebhook({ client, path: one }), 404, 'error.not_found')
  return 'a webhook was set up, changed and removed; one that leads inside is refused'
}

// applications: one that may only read users tries more.
async function applications(client: Client): Promise<string> {
  const path = { tenant }
  const body: api.CreateClient = { name: 'Directory', type: 'machine', scopes: ['users:read'] }
  const made = await done(api.createClient({ client, path, body }), 201)
  const own = { tenant, client: made.client.client_id }
  const reader = connect(await token(own.client, made.client_secret ?? ''))
  assert.equal((await done(api.listUsers({ client: reader, path }))).items.length, 5)
  await refused(api.createUser({ client: reader, path, body: { email: 'x@northwind.example' } }), 403, 'error.insufficient_scope')

  const rotated = await done(api.rotateClientSecret({ client, path: own, body: { grace: 3600 } }), 201)
  await token(own.client, made.client_secret ?? '')
  await token(own.client, rotated.client_secret ?? '')
  assert.equal((await done(api.changeClient({ client, path: own, body: { name: 'Phone book' } }))).name, 'Phone book')
  assert.equal((await done(api.disableClient({ client, path: own }))).disabled, true)
  assert.equal((await done(api.enableClient({ client, path: own }))).disabled, false)
  assert.equal((await done(api.getClient({ client, path: own }))).secrets?.length, 2)
  assert.ok((await done(api.listClients({ client, path }))).items.some((c) => c.client_id === own.client))
  assert.ok((await done(api.listSharedClients({ client, path }))).items.length > 0)
  await done(api.deleteClient({ client, path: own }), 204)
  return 'an application that may read users was registered, can do no more, and was removed'
}

// audit finds what was done above, takes the log along and verifies it.
async function audit(client: Client): Promise<string> {
  const path = { tenant }
  const made = await done(api.listAuditEntries({ client, path, query: { action: 'user.create' } }))
  const last = made.items[0]
  assert.ok(last)
  assert.equal(last.actor, info.program.client_id)
  assert.equal((await done(api.getAuditEntry({ client, path: { tenant, entry: last.id } }))).hash, last.hash)
  const verified = await done(api.verifyAuditLog({ client, path }))
  assert.equal(verified.faults, undefined)
  const log = await done(api.exportAuditLog({ client, path, query: { format: 'jsonl' }, parseAs: 'text' }))
  const lines = log.trim().split('\n').map((line) => JSON.parse(line) as { action: string })
  assert.ok(lines.length > 20)
  assert.equal(lines.at(-1)?.action, 'audit.export')
  const adoption = await done(api.getAdoption({ client, path }))
  assert.equal(adoption.today.users, 5)
  return `${lines.length} entries of the audit log were read and verified; the newest new user's actor is this program`
}

// deployment is looked after by whoever runs it.
async function deployment(): Promise<string> {
  const client = connect(await token(operations.client.client_id, operations.client_secret))
  assert.deepEqual((await done(api.listTenants({ client }))).items.map((t) => t.id), ['harbour', 'northwind'])
  const made = await done(api.createTenant({ client, body: { id: 'cedar', name: 'Cedar Ltd', require_2fa: ['everyone'] } }), 201)
  const path = { tenant: made.id }
  assert.equal((await done(api.listUsers({ client, path }))).items.length, 0)
  assert.equal((await done(api.disableTenant({ client, path }))).disabled, true)
  assert.equal((await done(api.enableTenant({ client, path }))).disabled, false)

  const body: api.NewClient = { name: 'Timesheets', type: 'web', redirect_uris: ['https://time.example/callback'] }
  const shared = await done(api.createSharedClient({ client, body }), 201)
  const one = { client: shared.client.client_id }
  assert.ok(shared.client_secret && !shared.client.tenant)
  assert.equal((await done(api.changeAnyClient({ client, path: one, body: { strength: 'phr' } }))).strength, 'phr')
  assert.equal((await done(api.getAnyClient({ client, path: one }))).strength, 'phr')
  await done(api.rotateAnyClientSecret({ client, path: one }), 201)
  await done(api.disableAnyClient({ client, path: one }))
  await done(api.enableAnyClient({ client, path: one }))
  assert.ok((await done(api.listAllClients({ client }))).items.some((c) => c.client_id === one.client))
  await done(api.deleteAnyClient({ client, path: one }), 204)
  return 'the deployment’s program made a tenant, and an application that all tenants share'
}

// strangers get nothing.
async function strangers(client: Client): Promise<string> {
  const path = { tenant }
  const none = api.listUsers({ client: connect(), path })
  await refused(none, 401, 'error.token_missing')
  assert.match((await none).response.headers.get('www-authenticate') ?? '', /^Bearer realm=/)
  const wrong = api.listUsers({ client: connect('not-a-token'), path })
  await refused(wrong, 401, 'error.invalid_token')
  assert.match((await wrong).response.headers.get('www-authenticate') ?? '', /error="invalid_token"/)
  await refused(api.listUsers({ client, path: { tenant: 'harbour' } }), 404, 'error.not_found')
  await refused(api.listTenants({ client }), 403, 'error.insufficient_scope')
  const narrow = connect(await token(info.program.client_id, info.program.client_secret, 'users:read'))
  await done(api.listUsers({ client: narrow, path }))
  await refused(api.getTenant({ client: narrow, path }), 403, 'error.insufficient_scope')
  return 'without a token, with a wrong one, without the scope and at another tenant nothing is to be had'
}

// A check that takes everything would be worth nothing.
async function falsehoods(): Promise<void> {
  const json = { headers: { 'content-type': 'application/json' } }
  for (const answer of [
    new Response('{"client": {"id": "x", "name": "x"}}', json),
    new Response('{"client": {"id": "x", "name": "x"}, "scopes": [], "more": 1}', json),
    new Response('x', { headers: { 'content-type': 'text/plain' } }),
    new Response('{}', { ...json, status: 418 }),
  ]) {
    await assert.rejects(contract.check('GET', '/api/v1/me', answer))
  }
}

async function main(): Promise<void> {
  await falsehoods()
  const client = connect(await token(info.program.client_id, info.program.client_secret))
  for (const tell of [
    whose, users, people, recovery, invitations, settings, policy, integrations, webhooks, applications, audit, strangers, deployment,
  ]) {
    console.log(`  ${await tell(client)}`)
  }
  const silent = contract.operations.filter((o) => !contract.called.has(o))
  assert.deepEqual(silent, [], 'operations that nobody tried')
  console.log(`all ${contract.called.size} operations were called, and each answer was as described`)
}

void main()
