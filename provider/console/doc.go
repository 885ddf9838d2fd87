// Package console is the pages on which a tenant's owners and admins administer it.
package console
