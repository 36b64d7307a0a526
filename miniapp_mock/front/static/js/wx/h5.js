// In WeChat's own browser, with a service account: OAuth by navigation, payment by WeixinJSBridge. No mini-program is needed.
//
// The phone number cannot be had this way (WeChat gives it to mini-programs only), and notices are template messages to followers:
// both say so instead of pretending, and so does paying by insurance, which WeChat has for mini-programs only.

function bridge() {
  if (window.WeixinJSBridge) return Promise.resolve(window.WeixinJSBridge);
  return new Promise((done, failed) => {
    const late = setTimeout(() => failed(new Error("请在微信中打开本页面后支付")), 4000);
    document.addEventListener("WeixinJSBridgeReady", () => { clearTimeout(late); done(window.WeixinJSBridge); }, { once: true });
  });
}

export const h5 = {
  async login(next) { location.assign(`/wechat/login?${new URLSearchParams({ next })}`); },
  async phone() { throw new Error("请到医院小程序中绑定手机号，或请门诊服务台协助"); },
  async askConsent() { throw new Error("关注医院服务号即可收到提醒，无需单独开启"); },
  async pay(parameters, next) {
    const { result } = await new Promise((done) => {
      bridge().then((found) => found.invoke("getBrandWCPayRequest", parameters, (answer) => done({ result: answer.err_msg ?? "" })))
        .catch((error) => done({ result: `fail ${error.message}` }));
    });
    if (result.startsWith("fail")) throw new Error(result.slice(5));
    location.assign(`${next}?${new URLSearchParams({ result: result.replace("get_brand_wcpay_request", "requestPayment") })}`);
  },
  async authorise({ page }) { location.assign(page); },
  async insure() { throw new Error("医保支付请在医院小程序中完成，或改为全部自费"); },
};
