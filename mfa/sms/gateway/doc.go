// Package gateway hands text messages to an HTTP service of the deployment's own as JSON.
package gateway
