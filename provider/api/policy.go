package api

import (
	"context"
	"net/http"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
)

func (s *Service) policyRoutes() []web.Route {
	const (
		path = v1 + "/tenants/:tenant/policy"
		tag  = "Policy"
	)
	return []web.Route{
		web.API(http.MethodGet, path, admin.ScopePolicyRead, s.getPolicy).About("getPolicy", tag, "Show who must use two-factor authentication, the rules and the networks"),
		web.API(http.MethodPatch, path, admin.ScopePolicyWrite, s.changePolicy).About("changePolicy", tag, "Change the policy, all of it or nothing"),
		web.API(http.MethodPost, path+"/preview", admin.ScopePolicyRead, s.previewPolicy).About("previewPolicy", tag, "Tell what a change would do, without making it"),
		web.API(http.MethodPost, path+"/explain", admin.ScopePolicyRead, s.explainPolicy).About("explainPolicy", tag, "Tell what a sign-in would be asked for, and which rule says so"),
		web.API(http.MethodGet, path+"/reports", admin.ScopePolicyRead, s.policyReports).About("getPolicyReports", tag, "Tell what rules that are only reported would have decided"),
	}
}

func (s *Service) getPolicy(ctx context.Context, by *web.Actor, in inTenant) (admin.Policy, error) {
	return s.Admin.Policy(ctx, by, in.Tenant)
}

// changePolicy is what is to be changed of a policy; what is left out stays. The rules are taken first, then the networks,
// and then the switches.
type changePolicy struct {
	inTenant
	admin.PolicyChange
}

func (s *Service) changePolicy(ctx context.Context, by *web.Actor, in changePolicy) (admin.Policy, error) {
	return s.Admin.ChangePolicy(ctx, by, in.Tenant, in.PolicyChange)
}

func (s *Service) previewPolicy(ctx context.Context, by *web.Actor, in changePolicy) (admin.Preview, error) {
	return s.Admin.PreviewPolicy(ctx, by, in.Tenant, in.PolicyChange)
}

// explainPolicy says what sign-in is to be explained.
type explainPolicy struct {
	inTenant
	admin.Question
}

func (s *Service) explainPolicy(ctx context.Context, by *web.Actor, in explainPolicy) (admin.Explanation, error) {
	return s.Admin.ExplainPolicy(ctx, by, in.Tenant, in.Question)
}

func (s *Service) policyReports(ctx context.Context, by *web.Actor, in inTenant) (admin.Reports, error) {
	return s.Admin.PolicyReports(ctx, by, in.Tenant)
}
