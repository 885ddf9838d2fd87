package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/web"
)

// boat is a thing of all shapes.
type boat struct {
	// ID is the boat's.
	ID string `json:"id"`
	// Oars are its oars.
	Oars []oar `json:"oars"`
	// Built is when it was.
	Built time.Time `json:"built,omitzero"`
}

// oar moves it.
type oar struct {
	// Length is in metres.
	Length int `json:"length"`
}

type inHarbour struct {
	// Harbour is where it lies.
	Harbour string `path:"harbour"`
}

type newBoat struct {
	inHarbour
	// Name is painted on it.
	Name string `json:"name" required:"true"`
	// Oars are its oars.
	Oars []oar `json:"oars"`
	// Note takes null.
	Note *string `json:"note"`
}

type boats struct {
	inHarbour
	Paged
	// Colour is what it is painted in.
	Colour []string `query:"colour" enum:"red,green"`
	// Since is when it came.
	Since *time.Time `query:"since"`
}

type launch struct {
	inHarbour
	// File is the plan.
	File web.Upload `accept:"text/csv,application/jsonl"`
}

func call[In, Out any](context.Context, *web.Actor, In) (out Out, err error) { return out, nil }

// TestOpenAPIShapes: whatever a route can be, its description says.
func TestOpenAPIShapes(t *testing.T) {
	t.Parallel()
	const at = "/api/v1/harbours/:harbour/boats"
	data := newDescriber(t).describe([]web.Route{
		web.API(http.MethodPost, at, "users:write", call[newBoat, web.Created[boat]]).About("createBoat", "Boats", "Add a boat"),
		web.API(http.MethodPatch, at, "users:write", call[newBoat, boat]).About("changeBoat", "Boats", "Change a boat"),
		web.API(http.MethodGet, at, "users:read", call[boats, List[boat]]).About("listBoats", "Boats", "List boats"),
		web.API(http.MethodDelete, at, "users:write", call[inHarbour, struct{}]).About("sinkBoats", "Boats", "Sink all boats"),
		web.API(http.MethodGet, at+"/export", "users:read", call[inHarbour, web.Download]).Produces("text/csv", "application/jsonl").
			About("exportBoats", "Boats", "Export all boats"),
		web.API(http.MethodPost, at+"/import", "users:write", call[launch, oar]).About("importBoats", "Boats", "Import boats"),
	})
	const path = "paths./api/v1/harbours/{harbour}/boats"
	for _, c := range []struct{ at, want string }{
		{path + ".post.operationId", `"createBoat"`},
		{path + ".post.security", `[{"oauth2":["users:write"]}]`},
		{path + ".post.parameters.0.name", `"Idempotency-Key"`},
		{path + ".post.parameters.1", `{"description":"Harbour is where it lies.","in":"path","name":"harbour","required":true,"schema":{"type":"string"}}`},
		{path + ".post.requestBody", `{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/NewBoat"}}},"required":true}`},
		{path + ".post.responses.201.content.application/json.schema", `{"$ref":"#/components/schemas/Boat"}`},
		{path + ".post.responses.201.headers.Location.schema.type", `"string"`},
		{path + ".post.responses.422.content.application/problem+json.schema", `{"$ref":"#/components/schemas/Problem"}`},
		{path + ".patch.requestBody.content.application/merge-patch+json.schema", `{"$ref":"#/components/schemas/NewBoat"}`},
		{path + ".patch.parameters.0.name", `"harbour"`},
		{path + ".get.parameters.1.schema", `{"maximum":1000,"minimum":1,"type":"integer"}`},
		{path + ".get.parameters.2.schema", `{"items":{"enum":["red","green"],"type":"string"},"type":"array"}`},
		{path + ".get.parameters.3.schema", `{"format":"date-time","type":"string"}`},
		{path + ".get.responses.200.content.application/json.schema", `{"$ref":"#/components/schemas/BoatList"}`},
		{path + ".delete.responses.204", `{"description":"No Content"}`},
		{path + "/export.get.responses.200.content", `{"application/jsonl":{"schema":{"type":"string"}},"text/csv":{"schema":{"type":"string"}}}`},
		{path + "/import.post.requestBody.content", `{"application/jsonl":{"schema":{"type":"string"}},"text/csv":{"schema":{"type":"string"}}}`},
		{"components.schemas.Boat.description", `"Boat is a thing of all shapes."`},
		{"components.schemas.Boat.required", `["id","oars"]`},
		{"components.schemas.Boat.properties.oars", `{"description":"Oars are its oars.","items":{"$ref":"#/components/schemas/Oar"},"type":"array"}`},
		{"components.schemas.NewBoat.required", `["name"]`},
		{"components.schemas.NewBoat.properties.note.type", `["null","string"]`},
		{"components.schemas.BoatList.required", `["items"]`},
	} {
		if got := dig(t, data, c.at); got != c.want {
			t.Errorf("%s is %s, want %s", c.at, got, c.want)
		}
	}
}

// dig finds what stands at a path of names and numbers, with a dot between; "null" where there is nothing.
func dig(t *testing.T, data []byte, at string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	for at != "" {
		var name string
		// Paths of the API have no dot.
		name, at, _ = strings.Cut(at, ".")
		switch in := v.(type) {
		case map[string]any:
			v = in[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(in) {
				return "null"
			}
			v = in[i]
		default:
			return "null"
		}
	}
	found, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(found)
}
