// WeChat's pages as the mock serves them: each call is a navigation there and back. The server keeps the state of logins.

const goTo = (path, query) => location.assign(`${path}?${new URLSearchParams(query)}`);

/** Absolute address of one of our pages. */
const ours = (path) => new URL(path, location.origin).href;

export const mock = {
  async login(next) { goTo("/wechat/login", { next }); },
  async phone(next) { goTo("/wechat/phone", { next }); },
  async askConsent(templateIds, next) {
    goTo(`${document.body.dataset.wechat}/consent`, { template_ids: templateIds.join(","), redirect_uri: ours(`/wechat/consented?${new URLSearchParams({ next })}`) });
  },
  async pay(parameters, next) {
    const { package: order, ...signed } = parameters;
    goTo(`${document.body.dataset.wechat}/cashier/${encodeURIComponent(order.replace("prepay_id=", ""))}`, { ...signed, return: ours(next) });
  },
  async authorise({ page }) { location.assign(page); },
  async insure(parameters, next) {
    const { mixTradeNo, ...signed } = parameters;
    const values = Object.fromEntries(Object.entries(signed).filter(([, value]) => value));
    goTo(`${document.body.dataset.wechat}/med-ins-cashier/${encodeURIComponent(mixTradeNo)}`, { ...values, return: ours(next) });
  },
};
