package cli

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/provider/webhook"
)

type webhooksCommand struct {
	Create     webhooksCreate     `cmd:"" help:"Have an address told of events. The secret that they are signed with is printed once."`
	List       webhooksList       `cmd:"" help:"List a tenant's webhooks."`
	Show       webhooksShow       `cmd:"" help:"Show a webhook."`
	Update     webhooksUpdate     `cmd:"" help:"Change a webhook, disable it or enable it."`
	Rotate     webhooksRotate     `cmd:"" help:"Give a webhook a new secret. The one before signs beside it for 24 hours."`
	Delete     webhooksDelete     `cmd:"" help:"Remove a webhook. What waits for it is not sent any more."`
	Deliveries webhooksDeliveries `cmd:"" help:"List what was and will be sent to a webhook, newest first."`
	Redeliver  webhooksRedeliver  `cmd:"" help:"Send something again."`
	Test       webhooksTest       `cmd:"" help:"Send a test event now, and show what comes of it."`
}

type webhookArg struct {
	tenantFlag
	ID string `arg:"" help:"The webhook's ID."`
}

// webhookResult is a webhook with what is shown once.
type webhookResult struct {
	Webhook webhook.Webhook `json:"webhook"`
	Secret  string          `json:"secret,omitempty"`
}

func printWebhook(w *world, a *adminCommand, v webhook.Webhook, secret string) error {
	return a.print(w, webhookResult{v, secret}, func(w io.Writer) {
		fmt.Fprintf(w, "Webhook\t%s\nTenant\t%s\nURL\t%s\n", v.ID, v.Tenant, v.URL)
		if v.Description != "" {
			fmt.Fprintf(w, "Description\t%s\n", v.Description)
		}
		fmt.Fprintf(w, "Events\t%s\nState\t%s\n", strings.Join(v.Events, ", "), webhookState(v))
		if !v.Failing.IsZero() {
			fmt.Fprintf(w, "Failing since\t%s\n", moment(v.Failing))
		}
		fmt.Fprintf(w, "Created\t%s\n", moment(v.Created))
		for _, s := range v.Secrets {
			until := "signs until it is rotated"
			if !s.Until.IsZero() {
				until = "signs until " + moment(s.Until)
			}
			fmt.Fprintf(w, "Secret\tof %s, %s\n", moment(s.Created), until)
		}
		if secret != "" {
			fmt.Fprintf(w, "Secret\t%s\t(shown only now)\n", secret)
		}
	})
}

func webhookState(v webhook.Webhook) string {
	words := state(v.Disabled)
	if v.Reason != "" {
		words += " (" + v.Reason + ")"
	}
	return words
}

type webhooksCreate struct {
	tenantFlag
	URL         string   `required:"" name:"url" help:"The https address that is told."`
	Event       []string `placeholder:"EVENT" help:"What it is told of, as user.create, user.* or *; may be given again (default: *, which is all)."`
	Description string   `help:"What it is for."`
}

// Run makes a webhook.
func (c *webhooksCreate) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		v, secret, err := s.CreateWebhook(w.ctx, web.Operator(), c.Tenant, webhook.NewWebhook{
			URL: c.URL, Events: c.Event, Description: c.Description,
		})
		if err != nil {
			return err
		}
		return printWebhook(w, a, v, secret)
	})
}

type webhooksList struct{ tenantFlag }

// Run lists webhooks.
func (c *webhooksList) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		all, err := s.Webhooks(w.ctx, web.Operator(), c.Tenant)
		if err != nil {
			return err
		}
		return a.print(w, all, func(w io.Writer) {
			fmt.Fprintln(w, "WEBHOOK\tURL\tEVENTS\tSTATE\tCREATED")
			for _, v := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", v.ID, v.URL, strings.Join(v.Events, ", "), webhookState(v), moment(v.Created))
			}
		})
	})
}

type webhooksShow struct{ webhookArg }

// Run shows a webhook.
func (c *webhooksShow) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		v, err := s.Webhook(w.ctx, web.Operator(), c.Tenant, c.ID)
		if err != nil {
			return err
		}
		return printWebhook(w, a, v, "")
	})
}

type webhooksUpdate struct {
	webhookArg
	URL         *string  `name:"url" help:"The https address that is told."`
	Event       []string `placeholder:"EVENT" help:"What it is told of, instead of what it was; may be given again."`
	Description *string  `help:"What it is for."`
	Disable     bool     `xor:"state" help:"Send nothing more."`
	Enable      bool     `xor:"state" help:"Send again what happens from now on."`
}

// Run changes a webhook.
func (c *webhooksUpdate) Run(w *world, a *adminCommand) error {
	u := webhook.Update{URL: c.URL, Description: c.Description, Events: c.Event}
	if c.Disable || c.Enable {
		u.Disabled = &c.Disable
	}
	if u.URL == nil && u.Description == nil && u.Events == nil && u.Disabled == nil {
		return finding{What: "there is nothing to change", Where: "the command line", Do: "see sallyport admin webhooks update --help"}
	}
	return a.do(w, func(s *admin.Service) error {
		v, err := s.ChangeWebhook(w.ctx, web.Operator(), c.Tenant, c.ID, u)
		if err != nil {
			return err
		}
		return printWebhook(w, a, v, "")
	})
}

type webhooksRotate struct{ webhookArg }

// Run gives a webhook a new secret.
func (c *webhooksRotate) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		v, secret, err := s.RotateWebhookSecret(w.ctx, web.Operator(), c.Tenant, c.ID)
		if err != nil {
			return err
		}
		return printWebhook(w, a, v, secret)
	})
}

type webhooksDelete struct{ webhookArg }

// Run removes a webhook.
func (c *webhooksDelete) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		if err := s.DeleteWebhook(w.ctx, web.Operator(), c.Tenant, c.ID); err != nil {
			return err
		}
		return a.print(w, map[string]string{"deleted": c.ID}, func(w io.Writer) {
			fmt.Fprintf(w, "Deleted webhook %s.\n", c.ID)
		})
	})
}

type webhooksDeliveries struct {
	webhookArg
	pageFlags
}

// Run lists deliveries.
func (c *webhooksDeliveries) Run(w *world, a *adminCommand) error {
	page, err := c.page()
	if err != nil {
		return err
	}
	return a.do(w, func(s *admin.Service) error {
		all, err := s.Deliveries(w.ctx, web.Operator(), c.Tenant, c.ID, page)
		if err != nil {
			return err
		}
		return a.print(w, all, func(w io.Writer) {
			fmt.Fprintln(w, "DELIVERY\tEVENT\tCREATED\tSTATE\tTRIES\tSTATUS\tNEXT\tWHY")
			for _, d := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", d.ID, d.Type, moment(d.Created), d.State, d.Tries, status(d), moment(d.Next), d.Reason)
			}
			if len(all) > 0 {
				c.more(w, len(all), all[len(all)-1].ID)
			}
		})
	})
}

func status(d webhook.Delivery) string {
	if d.Status == 0 {
		return "–"
	}
	return strconv.Itoa(d.Status)
}

func printDelivery(w *world, a *adminCommand, d webhook.Delivery) error {
	return a.print(w, d, func(w io.Writer) {
		fmt.Fprintf(w, "Delivery\t%s\nEvent\t%s\nState\t%s\nTries\t%d\nStatus\t%s\n", d.ID, d.Type, d.State, d.Tries, status(d))
		if d.Reason != "" {
			fmt.Fprintf(w, "Why\t%s\n", d.Reason)
		}
	})
}

type webhooksRedeliver struct {
	webhookArg
	Delivery string `arg:"" help:"The delivery's ID."`
}

// Run puts a delivery into the queue again.
func (c *webhooksRedeliver) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		d, err := s.Redeliver(w.ctx, web.Operator(), c.Tenant, c.ID, c.Delivery)
		if err != nil {
			return err
		}
		return printDelivery(w, a, d)
	})
}

type webhooksTest struct{ webhookArg }

// errNotTaken ends a test that failed.
var errNotTaken = errors.New("the test event was not taken")

// Run sends a test event.
func (c *webhooksTest) Run(w *world, a *adminCommand) error {
	return a.do(w, func(s *admin.Service) error {
		d, err := s.TestWebhook(w.ctx, web.Operator(), c.Tenant, c.ID)
		if err != nil {
			return err
		}
		if err := printDelivery(w, a, d); err != nil {
			return err
		}
		if d.State != "delivered" {
			return errNotTaken
		}
		return nil
	})
}
