// Holds each answer to what openapi.json says of it.
import { readFileSync } from 'node:fs'
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020'
import addFormats from 'ajv-formats'

type Operation = { operationId: string; responses: Record<string, { content?: Record<string, unknown> }> }
type Document = { paths: Record<string, Record<string, Operation>>; components: { schemas: Record<string, Schema> } }
type Schema = { properties?: Record<string, unknown>; additionalProperties?: unknown }

export class Contract {
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true })
  readonly #document: Document
  readonly called = new Set<string>()

  constructor(file: string) {
    this.#document = JSON.parse(readFileSync(file, 'utf8')) as Document
    // What the description does not name, no answer may hold: programs can't know of it.
    for (const schema of Object.values(this.#document.components.schemas)) {
      if (schema.properties) schema.additionalProperties ??= false
    }
    addFormats(this.#ajv)
    this.#ajv.addSchema(this.#document, 'openapi.json')
  }

  get operations(): string[] {
    return Object.values(this.#document.paths).flatMap((path) => Object.values(path).map((o) => o.operationId))
  }

  // check throws where an answer to an operation, which is known by its method and the template of its path, is not what
  // the description says.
  async check(method: string, template: string, answer: Response): Promise<void> {
    const operation = this.#document.paths[template]?.[method.toLowerCase()]
    if (!operation) throw new Error(`${method} ${template} is not described`)
    const name = `${operation.operationId} (${answer.status})`
    this.called.add(operation.operationId)
    const response = operation.responses[answer.status]
    if (!response) throw new Error(`${name}: that status is not described: ${await answer.text()}`)
    const type = answer.headers.get('content-type')?.split(';')[0] ?? ''
    if (!response.content) {
      if (await answer.text()) throw new Error(`${name}: a body that is not described`)
      return
    }
    if (!(type in response.content)) throw new Error(`${name}: ${type} is not described`)
    if (!type.endsWith('json')) return
    const validate = this.#schema(template, method, answer.status, type)
    const body: unknown = await answer.json()
    if (!validate(body)) {
      throw new Error(`${name}: ${this.#ajv.errorsText(validate.errors)} in ${JSON.stringify(body, null, 2)}`)
    }
  }

  #schema(template: string, method: string, status: number, type: string): ValidateFunction {
    const steps = ['paths', template, method.toLowerCase(), 'responses', `${status}`, 'content', type, 'schema']
    const pointer = steps.map((s) => encodeURIComponent(s.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')
    const validate = this.#ajv.getSchema(`openapi.json#/${pointer}`)
    if (!validate) throw new Error(`no schema at ${pointer}`)
    return validate
  }
}
