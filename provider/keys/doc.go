// Package keys keeps the secrets of a deployment: what it seals, hashes and signs with.
package keys
