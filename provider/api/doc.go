// Package api is the REST API: what programs can do with an access token, as routes of package web.
package api
