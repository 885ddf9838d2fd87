package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport-id/sallyport/ui"
)

// offCourse answers what no API route answers: 404, 405 with the methods there are, or these to who asks for them.
func (x *exchange) offCourse(routes []Route) {
	x.asProgram()
	methods := methodsAt(routes, x.path())
	switch {
	case len(methods) == 0:
		x.fail(&programFault{status: http.StatusNotFound, code: codeOf(ui.FailNotFound), detail: "There is nothing at this path."})
	case x.c.Request().Method == http.MethodOptions:
		x.c.Response().Header().Set("Allow", strings.Join(methods, ", "))
		x.c.Response().WriteHeader(http.StatusNoContent)
	default:
		x.c.Response().Header().Set("Allow", strings.Join(methods, ", "))
		x.fail(&programFault{
			status: http.StatusMethodNotAllowed, code: "error.method_not_allowed",
			detail: "This path answers " + strings.Join(methods, ", ") + " only.",
		})
	}
}

// methodsAt are the methods that routes answer at a path.
func methodsAt(routes []Route, path string) []string {
	var methods []string
	segments := strings.Split(path, "/")
	for _, r := range routes {
		pattern := strings.Split(r.Path, "/")
		fits := len(pattern) == len(segments)
		for i := 0; fits && i < len(pattern); i++ {
			fits = pattern[i] == segments[i] || strings.HasPrefix(pattern[i], ":") && segments[i] != ""
		}
		if fits {
			methods = append(methods, r.Method)
			if r.Method == http.MethodGet {
				methods = append(methods, http.MethodHead)
			}
		}
	}
	if len(methods) > 0 {
		methods = append(methods, http.MethodOptions)
	}
	slices.Sort(methods)
	return slices.Compact(methods)
}
