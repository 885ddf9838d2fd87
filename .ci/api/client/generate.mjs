// Validates openapi.json against the schema of OpenAPI 3.1, and generates a client from it into generated/.
import { readFileSync } from 'node:fs'
import { createClient } from '@hey-api/openapi-ts'
import { Validator } from '@seriousme/openapi-schema-validator'

const read = () => JSON.parse(readFileSync('openapi.json', 'utf8'))

const { valid, errors } = await new Validator().validate(read())
if (!valid) throw new Error(`openapi.json is no OpenAPI document: ${JSON.stringify(errors, null, 2)}`)

// A validator that lets everything through would be worth nothing.
const broken = read()
delete Object.values(Object.values(broken.paths)[0])[0].responses[200].description
if ((await new Validator().validate(broken)).valid) throw new Error('the validator takes a response without a description')

await createClient({
  input: './openapi.json',
  output: './generated',
  plugins: ['@hey-api/typescript', '@hey-api/sdk', '@hey-api/client-fetch'],
  logs: { level: 'silent' },
})
