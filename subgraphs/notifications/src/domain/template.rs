//! What messages say, in the languages of the shop.

use common::Money;

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion<'a> {
    /// Somebody has an account now.
    Welcome,
    /// Somebody asked for a new password. The token goes with the message, not in it.
    PasswordReset,
    /// An order was placed and paid for.
    OrderConfirmed { number: &'a str, total: Money },
    /// An order was called off.
    OrderCancelled { number: &'a str },
    /// Something was sent.
    OrderShipped { number: &'a str, tracking_url: Option<&'a str> },
    /// All was delivered.
    OrderDelivered { number: &'a str },
    /// Something can be bought again.
    BackInStock { title: &'a str },
}

/// A message's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub title: String,
    pub body: String,
}

/// Longest title that is stored, in characters.
const LONGEST_TITLE: usize = 200;

#[derive(Clone, Copy)]
enum Language {
    English,
    German,
    Arabic,
}

fn language(locale: &str) -> Language {
    match locale.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "de" => Language::German,
        "ar" => Language::Arabic,
        _ => Language::English,
    }
}

/// Puts an occasion into the words of a locale; into English where there are none.
pub fn text(occasion: Occasion<'_>, locale: &str) -> Text {
    let (title, body) = match language(locale) {
        Language::English => english(occasion),
        Language::German => german(occasion),
        Language::Arabic => arabic(occasion),
    };
    Text { title: title.chars().take(LONGEST_TITLE).collect(), body }
}

/// The line that carries a password token.
pub fn password_token(token: &str, locale: &str) -> String {
    match language(locale) {
        Language::English => format!("Your code, good for one hour and for one use:\n{token}"),
        Language::German => format!("Ihr Code, eine Stunde lang und einmal gültig:\n{token}"),
        Language::Arabic => format!("رمزك صالح لمدة ساعة ولمرة واحدة:\n{token}"),
    }
}

fn english(occasion: Occasion<'_>) -> (String, String) {
    match occasion {
        Occasion::Welcome => (
            "Welcome to TechPotli".into(),
            "Your account is ready. If it was not you who registered, reset the password and tell us.".into(),
        ),
        Occasion::PasswordReset => (
            "Set a new password".into(),
            "Somebody, hopefully you, asked for a new password. If it was not you, do nothing.".into(),
        ),
        Occasion::OrderConfirmed { number, total } => (
            format!("Order {number} is confirmed"),
            format!("Thank you. Your order {number} over {} is confirmed.", amount(total)),
        ),
        Occasion::OrderCancelled { number } => (
            format!("Order {number} is cancelled"),
            format!("Your order {number} is cancelled. What you have paid is given back."),
        ),
        Occasion::OrderShipped { number, tracking_url } => (
            format!("Order {number} is on its way"),
            match tracking_url {
                Some(url) => format!("We have sent goods of your order {number}. Follow the parcel: {url}"),
                None => format!("We have sent goods of your order {number}."),
            },
        ),
        Occasion::OrderDelivered { number } => (
            format!("Order {number} is complete"),
            format!("All of your order {number} is delivered. We hope that you like it."),
        ),
        Occasion::BackInStock { title } => {
            (format!("{title} is back"), format!("{title} can be bought again. You asked us to tell you."))
        }
    }
}

fn german(occasion: Occasion<'_>) -> (String, String) {
    match occasion {
        Occasion::Welcome => (
            "Willkommen bei TechPotli".into(),
            "Ihr Konto ist bereit. Falls nicht Sie es eröffnet haben, setzen Sie das Passwort zurück und melden Sie \
             sich bei uns."
                .into(),
        ),
        Occasion::PasswordReset => (
            "Neues Passwort setzen".into(),
            "Jemand, hoffentlich Sie, hat ein neues Passwort verlangt. Falls nicht, tun Sie nichts.".into(),
        ),
        Occasion::OrderConfirmed { number, total } => (
            format!("Bestellung {number} ist bestätigt"),
            format!("Vielen Dank. Ihre Bestellung {number} über {} ist bestätigt.", amount(total)),
        ),
        Occasion::OrderCancelled { number } => (
            format!("Bestellung {number} ist storniert"),
            format!("Ihre Bestellung {number} ist storniert. Was Sie bezahlt haben, wird erstattet."),
        ),
        Occasion::OrderShipped { number, tracking_url } => (
            format!("Bestellung {number} ist unterwegs"),
            match tracking_url {
                Some(url) => {
                    format!("Wir haben Ware Ihrer Bestellung {number} versandt. Zur Sendung: {url}")
                }
                None => format!("Wir haben Ware Ihrer Bestellung {number} versandt."),
            },
        ),
        Occasion::OrderDelivered { number } => (
            format!("Bestellung {number} ist vollständig"),
            format!("Ihre Bestellung {number} ist ganz geliefert. Wir wünschen viel Freude damit."),
        ),
        Occasion::BackInStock { title } => (
            format!("{title} ist wieder da"),
            format!("{title} ist wieder erhältlich. Sie wollten Bescheid bekommen."),
        ),
    }
}

fn arabic(occasion: Occasion<'_>) -> (String, String) {
    match occasion {
        Occasion::Welcome => (
            "مرحبًا بك في TechPotli".into(),
            "حسابك جاهز. إن لم تكن أنت من سجّل فأعد تعيين كلمة المرور وأخبرنا.".into(),
        ),
        Occasion::PasswordReset => (
            "تعيين كلمة مرور جديدة".into(),
            "طلب أحدهم، ونرجو أن تكون أنت، كلمة مرور جديدة. إن لم تكن أنت فلا تفعل شيئًا.".into(),
        ),
        Occasion::OrderConfirmed { number, total } => (
            format!("تم تأكيد الطلب {number}"),
            format!("شكرًا لك. تم تأكيد طلبك {number} بمبلغ {}.", amount(total)),
        ),
        Occasion::OrderCancelled { number } => {
            (format!("تم إلغاء الطلب {number}"), format!("تم إلغاء طلبك {number}. سيُردّ إليك ما دفعته."))
        }
        Occasion::OrderShipped { number, tracking_url } => (
            format!("الطلب {number} في الطريق"),
            match tracking_url {
                Some(url) => format!("أرسلنا بضاعة من طلبك {number}. تتبّع الشحنة: {url}"),
                None => format!("أرسلنا بضاعة من طلبك {number}."),
            },
        ),
        Occasion::OrderDelivered { number } => {
            (format!("اكتمل الطلب {number}"), format!("تم تسليم طلبك {number} كاملًا. نرجو أن ينال إعجابك."))
        }
        Occasion::BackInStock { title } => {
            (format!("عاد {title}"), format!("أصبح {title} متاحًا من جديد. طلبت منا إخبارك."))
        }
    }
}

fn amount(money: Money) -> String {
    format!("{money} {}", money.currency.code())
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Currency;

    const TOTAL: Money = Money { minor: 1_999, currency: Currency::EUR };

    fn occasions() -> [Occasion<'static>; 8] {
        [
            Occasion::Welcome,
            Occasion::PasswordReset,
            Occasion::OrderConfirmed { number: "1001", total: TOTAL },
            Occasion::OrderCancelled { number: "1001" },
            Occasion::OrderShipped { number: "1001", tracking_url: Some("https://parcel.example/1") },
            Occasion::OrderShipped { number: "1001", tracking_url: None },
            Occasion::OrderDelivered { number: "1001" },
            Occasion::BackInStock { title: "Oak Bowl" },
        ]
    }

    #[test]
    fn every_occasion_has_its_own_words_in_every_language_and_names_what_it_is_about() {
        for occasion in occasions() {
            let texts = ["en", "de-AT", "ar"].map(|locale| text(occasion, locale));
            for (place, one) in texts.iter().enumerate() {
                assert!(!one.title.is_empty() && !one.body.is_empty());
                assert!(texts.iter().skip(place + 1).all(|other| other.body != one.body), "{occasion:?}");
                match occasion {
                    Occasion::Welcome | Occasion::PasswordReset => {}
                    Occasion::BackInStock { title } => assert!(one.title.contains(title)),
                    _ => assert!(one.title.contains("1001") && one.body.contains("1001")),
                }
            }
        }
    }

    #[test]
    fn other_languages_read_english() {
        let confirmed = Occasion::OrderConfirmed { number: "1001", total: TOTAL };
        assert_eq!(text(confirmed, "fr-CA"), text(confirmed, "en"));
        assert_eq!(text(confirmed, "EN_us").body, "Thank you. Your order 1001 over 19.99 EUR is confirmed.");
    }

    #[test]
    fn a_long_title_is_cut() {
        let long = "x".repeat(500);
        assert_eq!(text(Occasion::BackInStock { title: &long }, "en").title.chars().count(), 200);
    }
}
